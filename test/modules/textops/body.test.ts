import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textops } from '../../../modules/textops/textops.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, printed, request } from '../fake-core.ts';

const { has_body, set_body, remove_hf, search, search_body } = textops.functions;

function setUp(msg = request()) {
  return callOf(textops.init({ params: {}, log: recordedLog(), core: fakeCore(), deps: {} }), msg);
}

test('has_body: whether there is a body, of the type named', () => {
  const body = 'v=0\r\n';
  const rows: [msg: ReturnType<typeof request>, type: string | undefined, has: boolean][] = [
    [request(), undefined, false],
    [request({ headers: ['Content-Type: application/sdp'] }), 'application/sdp', false],
    [request({ body }), undefined, true],
    [request({ body }), 'application/sdp', false],
    [request({ body, headers: ['Content-Type: application/sdp'] }), 'application/sdp', true],
    [request({ body, headers: ['c: Application/SDP ; charset=utf-8'] }), 'application/sdp', true],
    [request({ body, headers: ['Content-Type: application/sdpx'] }), 'application/sdp', false],
    [request({ body, headers: ['Content-Type: text/plain'] }), 'application/sdp', false],
  ];
  for (const [msg, type, has] of rows) assert.equal(has_body.call(setUp(msg), type), has, msg.head);
});

test('set_body: replaces body, Content-Type and Content-Length', () => {
  const msg = request({ body: 'v=0\r\n', headers: ['Content-Type: application/sdp'] });
  assert.equal(set_body.call(setUp(msg), 'Zoë $x', 'text/plain;charset=utf-8'), true);
  const text = printed(msg);
  assert.deepEqual(linesOf(text, 'content-type'), ['Content-Type: text/plain;charset=utf-8']);
  assert.deepEqual(linesOf(text, 'content-length'), ['Content-Length: 7']);
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), 'Zo\xc3\xab $x');
});

test('set_body: adds Content-Type where there was none, the last call counts', () => {
  const call = setUp();
  set_body.call(call, 'first', 'text/plain');
  set_body.call(call, 'second one', 'text/html');
  const text = printed(call.msg);
  assert.deepEqual(linesOf(text, 'content-type'), ['Content-Type: text/html']);
  assert.match(text, /\r\n\r\nsecond one$/);
});

test('set_body: writes its own Content-Type after that of the message was removed', () => {
  const call = setUp(request({ body: 'v=0\r\n', headers: ['Content-Type: application/sdp'] }));
  remove_hf.call(call, 'Content-Type');
  set_body.call(call, 'text', 'text/plain');
  assert.deepEqual(linesOf(printed(call.msg), 'content-type'), ['Content-Type: text/plain']);
});

test('set_body: its Content-Type stays when that of the message is removed afterwards, alone and whole', () => {
  const call = setUp(request({ body: 'v=0\r\n', headers: ['Content-Type: application/sdp'] }));
  set_body.call(call, 'text', 'text/plain');
  remove_hf.call(call, 'Content-Type');
  const text = printed(call.msg);
  assert.deepEqual(linesOf(text, 'content-type'), ['Content-Type: text/plain']);
  assert.equal(text.match(/text\/plain/g)?.length, 1);
});

test('set_body: called for a branch after the request, it leaves one Content-Type', () => {
  const msg = request({ body: 'v=0\r\n' });
  set_body.call(setUp(msg), 'first', 'text/plain');
  const branch = msg.fork();
  set_body.call(setUp(branch), 'second', 'text/html');
  assert.deepEqual(linesOf(printed(branch), 'content-type'), ['Content-Type: text/html']);
  assert.deepEqual(linesOf(printed(msg), 'content-type'), ['Content-Type: text/plain']);
});

test('set_body: what is no media type is ERR_HEADER_LINES', () => {
  for (const type of [
    '',
    'text',
    'text/',
    'text/plain\r\nX: 1',
    'text/plain;a=b\nX: 1',
    'te xt/plain',
    '/plain',
  ]) {
    const call = setUp();
    assert.throws(() => set_body.call(call, 'x', type), {
      code: 'ERR_HEADER_LINES',
      message: /^set_body: .*: expected a media type such as text\/plain$/,
    });
    assert.equal(call.msg.newBody, null);
  }
});

test('search: matches the whole message in any case, line by line', () => {
  const call = setUp(request({ headers: ['X-A: One'], body: 'v=0\r\ns=Zo\xc3\xab\r\n' }));
  for (const [regex, found] of [
    ['^x-a: one$', true],
    ['^INVITE sip:bob', true],
    ['^s=', true],
    ['Zoë', true],
    ['Max-Forwards.*X-A', false],
    ['nowhere', false],
  ] as const) {
    assert.equal(search.call(call, regex), found, regex);
  }
});

test('search_body: matches the body alone', () => {
  const call = setUp(request({ headers: ['X-A: one'], body: 'v=0\r\n' }));
  assert.equal(search_body.call(call, '^V=0$'), true);
  assert.equal(search_body.call(call, 'X-A'), false);
});

test('search, search_body: see the message as received', () => {
  const call = setUp(request({ headers: ['X-A: one'], body: 'old' }));
  set_body.call(call, 'new', 'text/plain');
  remove_hf.call(call, 'X-A');
  assert.equal(search.call(call, 'X-A'), true);
  assert.equal(search_body.call(call, 'old'), true);
  assert.equal(search_body.call(call, 'new'), false);
  assert.equal(has_body.call(call, 'text/plain'), false);
});

test('search: a text that is no regular expression is ERR_REGEX_SYNTAX', () => {
  for (const regex of ['(', '[', '*a']) {
    assert.throws(() => search.call(setUp(), regex), { code: 'ERR_REGEX_SYNTAX', message: /^search: / });
  }
});
