import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PvResult } from '../../../core/registry/services.ts';
import { textops } from '../../../modules/textops/textops.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, printed, request, response } from '../fake-core.ts';

const f = textops.functions;

function setUp(msg = request(), variables: Record<string, PvResult | Promise<PvResult>> = {}) {
  const core = fakeCore({ variables });
  return callOf(textops.init({ params: {}, log: recordedLog(), core, deps: {} }), msg);
}

/** Names of the header lines of a printed request, in order. */
function names(text: string): string[] {
  const [, ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  return lines.map((line) => line.slice(0, line.indexOf(':')));
}

test('append_hf: adds behind all headers, several calls in order', () => {
  const call = setUp();
  assert.equal(f.append_hf.call(call, 'X-A: 1\r\n'), true);
  assert.equal(f.append_hf.call(call, 'X-B: 2'), true);
  assert.equal(printed(call.msg), call.msg.head.replace(/\r\n\r\n$/, '\r\nX-A: 1\r\nX-B: 2\r\n\r\n'));
});

test('append_hf: adds behind the first header named, at the end when there is none', async () => {
  const call = setUp(request({ headers: ['X-P: 1', 'X-P: 2'] }));
  await f.append_hf.call(call, 'X-A: 1', 'x-p');
  await f.append_hf.call(call, 'X-B: 1', 'X-None');
  assert.deepEqual(names(printed(call.msg)), [
    'Via',
    'Max-Forwards',
    'X-P',
    'X-A',
    'X-P',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Content-Length',
    'X-B',
  ]);
});

test('insert_hf: adds above all headers, or above the first one named', async () => {
  const call = setUp();
  await f.insert_hf.call(call, 'X-A: 1');
  await f.insert_hf.call(call, 'X-B: 1', 'f');
  await f.insert_hf.call(call, 'X-C: 1', 'X-None');
  assert.deepEqual(names(printed(call.msg)).slice(0, 6), [
    'X-A',
    'X-C',
    'Via',
    'Max-Forwards',
    'X-B',
    'From',
  ]);
});

test('append_hf: takes several lines and folded ones', async () => {
  const call = setUp();
  await f.append_hf.call(call, 'X-A: 1\r\n more\r\nX-B:\r\n\tmore\r\n');
  assert.match(printed(call.msg), /\r\nX-A: 1\r\n more\r\nX-B:\r\n\tmore\r\n\r\n$/);
});

test('append_hf: writes text that is not ASCII in UTF-8', async () => {
  const call = setUp();
  await f.append_hf.call(call, 'X-A: Zoë');
  assert.deepEqual(linesOf(printed(call.msg), 'x-a'), ['X-A: Zo\xc3\xab']);
});

test('append_hf: expands variables, at once when none has to wait', () => {
  const call = setUp(request(), { $rm: 'INVITE', '$var(x)': null });
  assert.equal(f.append_hf.call(call, 'X-A: $rm $var(x) $$5'), true);
  assert.deepEqual(linesOf(printed(call.msg), 'x-a'), ['X-A: INVITE <null> $5']);
});

test('append_hf: waits for variables that wait', async () => {
  const call = setUp(request(), { '$mct(k)': Promise.resolve('v') });
  const done = f.append_hf.call(call, 'X-A: $mct(k)\r\n');
  assert.equal(call.msg.edits.size, 0);
  assert.equal(await done, true);
  assert.deepEqual(linesOf(printed(call.msg), 'x-a'), ['X-A: v']);
});

const NOT_HEADER_LINES = [
  '',
  '\r\n',
  'X-A',
  'X A: 1',
  ': 1',
  ' X-A: 1',
  'X-A: 1\n',
  'X-A: 1\nX-B: 2',
  'X-A: 1\rX-B: 2',
  'X-A: 1\r\n\r\n',
  'X-A: 1\r\n\r\nX-B: 2',
  'X-A: 1\r\n  \r\nX-B: 2',
  '\r\nX-A: 1',
  'X-\u00e4: 1',
];

test('append_hf, insert_hf, append_to_reply: what is not complete header lines is ERR_HEADER_LINES', () => {
  for (const text of NOT_HEADER_LINES) {
    for (const [name, add] of Object.entries({
      append_hf: f.append_hf,
      insert_hf: f.insert_hf,
      append_to_reply: f.append_to_reply,
    })) {
      const call = setUp();
      assert.throws(() => add.call(call, text), {
        code: 'ERR_HEADER_LINES',
        message: new RegExp(`^${name}: .*: expected .Name: value. lines that end in CRLF$`),
      });
      assert.equal(call.msg.edits.size, 0);
      assert.equal(call.scope.replyHeaders, '');
    }
  }
});

test('append_hf, append_to_reply: a value with a line break is ERR_TEXT_LINE_BREAK', async () => {
  for (const value of ['a\r\nX-Evil: 1', 'a\n', '\r']) {
    for (const add of [f.append_hf, f.append_to_reply]) {
      const call = setUp(request(), { $rb: value, '$mct(k)': Promise.resolve(value) });
      assert.throws(() => add.call(call, 'X-A: $rb\r\n'), { code: 'ERR_TEXT_LINE_BREAK' });
      await assert.rejects(async () => add.call(call, 'X-A: $mct(k)\r\n'), { code: 'ERR_TEXT_LINE_BREAK' });
      assert.equal(call.msg.edits.size, 0);
      assert.equal(call.scope.replyHeaders, '');
    }
  }
});

test('append_to_reply: collects lines for the replies of this run', async () => {
  const call = setUp(request(), { $rm: 'INVITE', '$mct(k)': Promise.resolve('v') });
  await f.append_to_reply.call(call, 'X-A: $rm');
  await f.append_to_reply.call(call, 'X-B: $mct(k)\r\n');
  assert.equal(call.scope.replyHeaders, 'X-A: INVITE\r\nX-B: v\r\n');
  assert.equal(call.msg.edits.size, 0);
});

test('remove_hf: removes every header of the name, whatever its spelling', () => {
  const call = setUp(request({ headers: ['Subject: a', 'X-A: 1', 's: b', 'SUBJECT: c\r\n folded'] }));
  assert.equal(f.remove_hf.call(call, 'subject'), true);
  assert.equal(printed(call.msg), call.msg.head.replace(/^(?:Subject|s|SUBJECT): .*\r\n(?: .*\r\n)?/gm, ''));
  assert.deepEqual(names(printed(call.msg)).slice(0, 4), ['Via', 'Max-Forwards', 'X-A', 'From']);
});

test('remove_hf: false without such a header', () => {
  const call = setUp();
  assert.equal(f.remove_hf.call(call, 'Subject'), false);
  assert.equal(call.msg.edits.size, 0);
});

test('remove_hf_re: removes headers whose name matches in any case', () => {
  const call = setUp(request({ headers: ['X-A: 1', 'x-b: 2', 'Y-X-: 3'] }));
  assert.equal(f.remove_hf_re.call(call, '^X-'), true);
  assert.deepEqual(names(printed(call.msg)).slice(0, 4), ['Via', 'Max-Forwards', 'Y-X-', 'From']);
  assert.equal(f.remove_hf_re.call(call, '^Z'), false);
});

test('is_present_hf: sees the message as received', async () => {
  const call = setUp(request({ headers: ['s: a'] }));
  assert.equal(f.is_present_hf.call(call, 'Subject'), true);
  assert.equal(f.is_present_hf.call(call, 'X-A'), false);
  f.remove_hf.call(call, 'Subject');
  await f.append_hf.call(call, 'X-A: 1');
  assert.equal(f.is_present_hf.call(call, 'Subject'), true);
  assert.equal(f.is_present_hf.call(call, 'X-A'), false);
});

test('headers: are changed on replies too', async () => {
  const core = fakeCore();
  const msg = response({ headers: ['Server: x'] });
  const call = callOf(textops.init({ params: {}, log: recordedLog(), core, deps: {} }), msg);
  assert.equal(f.is_present_hf.call(call, 'server'), true);
  assert.equal(f.remove_hf.call(call, 'Server'), true);
  assert.equal(await f.append_hf.call(call, 'X-A: 1'), true);
  assert.equal(msg.edits.size, 2);
});
