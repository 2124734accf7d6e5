import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PvResult } from '../../../core/registry/services.ts';
import { textops } from '../../../modules/textops/textops.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, printed, request } from '../fake-core.ts';

const { subst, subst_body, subst_uri, subst_user, set_body, insert_hf, remove_hf } = textops.functions;

function setUp(msg = request(), variables: Record<string, PvResult | Promise<PvResult>> = {}) {
  const core = fakeCore({ variables });
  return callOf(textops.init({ params: {}, log: recordedLog(), core, deps: {} }), msg);
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

test('subst: replaces in the headers by the rules of its expression', () => {
  const rows: [expression: string, found: boolean, xa: string][] = [
    ['/one/two/', true, 'X-A: two one ONE'],
    ['/one/two/g', true, 'X-A: two two ONE'],
    ['/one/two/gi', true, 'X-A: two two two'],
    ['/ONE/two/', true, 'X-A: one one two'],
    ['/^X-A: (\\w+) .*$/X-A: \\1-\\1/', true, 'X-A: one-one'],
    ['/one (ONE)$/[\\0]/', true, 'X-A: one [one ONE]'],
    ['#one#a/b#', true, 'X-A: a/b one ONE'],
    ['/one/a\\/b/', true, 'X-A: a/b one ONE'],
    ['/one/a\\\\b/', true, 'X-A: a\\b one ONE'],
    ['/one/\\t$$/', true, 'X-A: \t$ one ONE'],
    ['/one (x)?/<\\1>/', true, 'X-A: <>one ONE'],
    ['/ one//', true, 'X-A: one ONE'],
    ['/none/two/', false, 'X-A: one one ONE'],
  ];
  for (const [expression, found, xa] of rows) {
    const msg = request({ headers: ['X-A: one one ONE'] });
    assert.equal(subst.call(setUp(msg), expression), found, expression);
    assert.deepEqual(linesOf(printed(msg), 'x-a'), [xa], expression);
  }
});

test('subst: a dot stops at a line end, with flag s it does not', () => {
  const msg = request({ headers: ['X-A: 1', 'X-B: 2'] });
  assert.equal(subst.call(setUp(msg), '/X-A: 1.*X-B/Y/'), false);
  assert.equal(subst.call(setUp(msg), '/X-A: 1.*X-B/Y/s'), true);
  assert.deepEqual(linesOf(printed(msg), 'y'), ['Y: 2']);
});

test('subst: leaves start line and body alone', async () => {
  const msg = request({ headers: ['X-A: bob'], body: 'bob' });
  await subst.call(setUp(msg), '/bob/carol/g');
  const text = printed(msg);
  assert.match(text, /^INVITE sip:bob@example\.com SIP/);
  assert.deepEqual(linesOf(text, 'x-a'), ['X-A: carol']);
  assert.equal(bodyOf(text), 'bob');
});

test('subst: the same expression starts from the beginning of each message', () => {
  const state = setUp().state;
  for (const value of ['one', 'one', 'two one']) {
    const msg = request({ headers: [`X-A: ${value}`] });
    assert.equal(subst.call(callOf(state, msg), '/one/three/'), true);
    assert.deepEqual(linesOf(printed(msg), 'x-a'), [`X-A: ${value.replace('one', 'three')}`]);
  }
});

test('subst: leaves alone what was changed before', async () => {
  const call = setUp(request({ headers: ['X-A: one', 'X-B: one'] }));
  assert.equal(await subst.call(call, '/X-A: one/X-A: two/'), true);
  assert.equal(await subst.call(call, '/one/three/g'), true);
  assert.equal(await subst.call(call, '/one/four/g'), false);
  const text = printed(call.msg);
  assert.deepEqual([linesOf(text, 'x-a'), linesOf(text, 'x-b')], [['X-A: two'], ['X-B: three']]);
});

test('subst: leaves alone headers that were removed', async () => {
  const call = setUp(request({ headers: ['X-A: one', 'X-B: one'] }));
  remove_hf.call(call, 'X-A');
  assert.equal(await subst.call(call, '/one/two/g'), true);
  const text = printed(call.msg);
  assert.deepEqual([linesOf(text, 'x-a'), linesOf(text, 'x-b')], [[], ['X-B: two']]);
  assert.doesNotMatch(text, /^two/m);
});

test('subst: a line that others are put in front of stays a line of its own', () => {
  const msg = request({ headers: ['X-A: one'] });
  assert.equal(subst.call(setUp(msg), '/^X-A: one/X-A: two/'), true);
  assert.equal(insert_hf.call(setUp(msg), 'X-B: three', 'X-A'), true);
  const text = printed(msg);
  assert.deepEqual([linesOf(text, 'x-b'), linesOf(text, 'x-a')], [['X-B: three'], ['X-A: two']]);
});

test('subst: can add a line', () => {
  const msg = request({ headers: ['X-A: one'] });
  assert.equal(subst.call(setUp(msg), '/^(X-A: .*)$/\\1\\r\\nX-B: two/'), true);
  assert.deepEqual(linesOf(printed(msg), 'x-b'), ['X-B: two']);
});

test('subst: a result with an empty line is ERR_HEADER_LINES and changes nothing', () => {
  for (const expression of [
    '/^X-A: .*$//',
    '/X-A: one/\\r\\nX-B: 1/',
    '/one/\\r\\n\\r\\n/',
    '/one/\\n\\n/',
  ]) {
    const msg = request({ headers: ['X-A: one'] });
    assert.throws(() => subst.call(setUp(msg), expression), { code: 'ERR_HEADER_LINES' }, expression);
    assert.equal(msg.edits.size, 0);
  }
});

test('subst: expands variables in the replacement, at once or when they come', async () => {
  const now = setUp(request({ headers: ['X-A: one'] }), { $rm: 'INVITE' });
  assert.equal(subst.call(now, '/one/$rm/'), true);
  assert.deepEqual(linesOf(printed(now.msg), 'x-a'), ['X-A: INVITE']);

  const later = setUp(request({ headers: ['X-A: one'] }), { '$mct(k)': Promise.resolve('v') });
  const done = subst.call(later, '/(one)/\\1 $mct(k)/');
  assert.equal(later.msg.edits.size, 0);
  assert.equal(await done, true);
  assert.deepEqual(linesOf(printed(later.msg), 'x-a'), ['X-A: one v']);
});

test('subst: a value stands for itself, not for groups', () => {
  const call = setUp(request({ headers: ['X-A: one'] }), { '$var(x)': '\\1 $& \\r' });
  assert.equal(subst.call(call, '/(one)/$var(x)/'), true);
  assert.deepEqual(linesOf(printed(call.msg), 'x-a'), ['X-A: \\1 $& \\r']);
});

test('subst: a value with a line break is ERR_TEXT_LINE_BREAK', () => {
  const call = setUp(request({ headers: ['X-A: one'] }), { '$var(x)': 'a\r\nX-Evil: 1' });
  assert.throws(() => subst.call(call, '/one/$var(x)/'), {
    code: 'ERR_TEXT_LINE_BREAK',
    message: /^subst: /,
  });
  assert.equal(call.msg.edits.size, 0);
});

test('subst_body: replaces in the body and counts its bytes', () => {
  const msg = request({ body: 'c=IN IP4 10.0.0.1\r\nc=IN IP4 10.0.0.1\r\n' });
  assert.equal(subst_body.call(setUp(msg), '/10\\.0\\.0\\.1/203.0.113.55/g'), true);
  const text = printed(msg);
  assert.equal(bodyOf(text), 'c=IN IP4 203.0.113.55\r\nc=IN IP4 203.0.113.55\r\n');
  assert.deepEqual(linesOf(text, 'content-length'), [`Content-Length: ${bodyOf(text).length}`]);
});

test('subst_body: goes on from a body that was set or substituted before', async () => {
  const call = setUp(request({ body: 'a b' }));
  assert.equal(await subst_body.call(call, '/a/1/'), true);
  assert.equal(await subst_body.call(call, '/b/2/'), true);
  assert.equal(bodyOf(printed(call.msg)), '1 2');
  set_body.call(call, 'c', 'text/plain');
  assert.equal(await subst_body.call(call, '/c/3/'), true);
  assert.equal(bodyOf(printed(call.msg)), '3');
});

test('subst_body: keeps bytes that are not text, takes values with line breaks', async () => {
  const call = setUp(request({ body: '\x00\xff a' }), { '$var(x)': 'é\r\n' });
  assert.equal(await subst_body.call(call, '/a/$var(x)/'), true);
  assert.equal(bodyOf(printed(call.msg)), '\x00\xff \xc3\xa9\r\n');
});

test('subst_body: false without a match, and the body received stays', () => {
  const msg = request({ body: 'a' });
  assert.equal(subst_body.call(setUp(msg), '/x/y/'), false);
  assert.equal(msg.newBody, null);
});

test('subst_uri: replaces in the Request-URI', () => {
  const msg = request({ uri: 'sip:0049301234@example.com' });
  assert.equal(subst_uri.call(setUp(msg), '/^sip:00([0-9]+)@(.*)$/sip:+\\1@\\2;user=phone/'), true);
  assert.equal(msg.uri, 'sip:+49301234@example.com;user=phone');
  assert.equal(subst_uri.call(setUp(msg), '/nothing/x/'), false);
});

test('subst_user: replaces in the user of the Request-URI', () => {
  const msg = request({ uri: 'sip:example:pw@example.com:5080;a=b' });
  assert.equal(subst_user.call(setUp(msg), '/^(ex)(.*)$/\\2\\1/'), true);
  assert.equal(msg.uri, 'sip:ampleex:pw@example.com:5080;a=b');
  assert.equal(subst_user.call(setUp(request({ uri: 'sip:example.com' })), '/.*/x/'), false);
});

test('subst_user: of a telephone subscriber it sees the number, and what stands behind it stays', () => {
  const msg = request({ uri: 'sip:1201;npdi;rn=+1301@example.com;user=phone' });
  assert.equal(subst_user.call(setUp(msg), '/^([0-9]+)$/+\\1/'), true);
  assert.equal(msg.uri, 'sip:+1201;npdi;rn=+1301@example.com;user=phone');
});

test('subst_uri, subst_user: a result that is no URI, or reaches beyond the user, is ERR_URI_SYNTAX', () => {
  const rows = [
    [subst_uri, '/^sip:/x y/'],
    [subst_uri, '/^.*$//'],
    [subst_uri, '/com/com SIP/'],
    [subst_uri, '/com/com\\r\\nX: 1/'],
    [subst_user, '/bob/a@b/'],
    [subst_user, '/bob/a b/'],
    [subst_user, '/bob/a:b/'],
    [subst_user, '/bob//'],
  ] as const;
  for (const [fn, expression] of rows) {
    const msg = request();
    assert.throws(() => fn.call(setUp(msg), expression), { code: 'ERR_URI_SYNTAX' }, expression);
    assert.equal(msg.uri, 'sip:bob@example.com');
  }
});

test('subst: an expression of another form is ERR_SUBST_SYNTAX', () => {
  for (const expression of [
    '',
    '/',
    '/a',
    '/a/b',
    'abca',
    '/a/b/x',
    '/a/b/gg/',
    ' a b ',
    '\\a\\b\\',
    '/a\\/b/c',
  ]) {
    assert.throws(
      () => subst.call(setUp(), expression),
      { code: 'ERR_SUBST_SYNTAX', message: /^subst: / },
      expression,
    );
  }
});

test('subst: a pattern that is no regular expression is ERR_REGEX_SYNTAX', () => {
  assert.throws(() => subst_body.call(setUp(), '/(/x/'), {
    code: 'ERR_REGEX_SYNTAX',
    message: /^subst_body: /,
  });
});
