import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Avps } from '../../../core/registry/scope.ts';
import type { Scope } from '../../../core/registry/scope.ts';
import type { TransactionLayer } from '../../../core/registry/services.ts';
import { SipResponse } from '../../../core/sip/message.ts';
import { sl } from '../../../modules/sl/sl.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, parsed, request, scopeOf } from '../fake-core.ts';

const { sl_send_reply, send_reply, sl_reply_error } = sl.functions;

function setUp(seed?: string) {
  const log = recordedLog();
  const core = fakeCore(seed === undefined ? {} : { seed });
  const state = sl.init({ params: {}, log, core, deps: {} });
  return { core, log, state, api: sl.api!(state) };
}

/** The To tag of the only reply sent. */
function sentTag(core: ReturnType<typeof fakeCore>): string {
  assert.equal(core.replies.length, 1);
  return parsed(Buffer.from(core.replies[0]!.text, 'latin1')).toTag;
}

/** A transaction layer that notes replies and answers `sent`. */
function fakeTransactions(
  sent: boolean,
  hasBegun = false,
): TransactionLayer & { readonly replies: unknown[] } {
  const replies: unknown[] = [];
  return {
    replies,
    active: 0,
    request: () => ({ transaction: null, avps: new Avps() }),
    ended() {},
    response: () => false,
    hasBegun: () => hasBegun,
    giveUp: () => 0,
    reply(_scope: Scope, status: number, reason: string) {
      replies.push([status, reason]);
      return sent;
    },
  };
}

test('sl_send_reply: sends a reply made from the request and settles the run', () => {
  const { core, state } = setUp();
  const call = callOf(state, request());
  assert.equal(sl_send_reply.call(call, 404, 'Not Here'), true);
  const reply = parsed(Buffer.from(core.replies[0]!.text, 'latin1'));
  assert(reply instanceof SipResponse);
  assert.deepEqual([reply.status, reply.reason, reply.callId], [404, 'Not Here', 'c1@198.51.100.7']);
  assert.equal(call.scope.settled, true);
});

test('sl_send_reply: a provisional reply does not settle the run, and 100 has no To tag', () => {
  const { core, state } = setUp();
  const call = callOf(state, request());
  assert.equal(sl_send_reply.call(call, 100, 'Trying'), true);
  assert.equal(call.scope.settled, false);
  assert.equal(sentTag(core), '');
});

test('sl_send_reply: the To tag is that of the core for stateless replies', () => {
  const { core, state } = setUp();
  sl_send_reply.call(callOf(state, request()), 404, 'Not Found');
  assert.equal(sentTag(core), core.statelessTag(request()));
});

test('sl_send_reply: keeps a To tag that the request has', () => {
  const { core, state } = setUp();
  sl_send_reply.call(callOf(state, request({ to: '<sip:bob@example.com>;tag=tb1' })), 404, 'Not Found');
  assert.equal(sentTag(core), 'tb1');
});

test('sl_send_reply: never answers an ACK, but settles it', () => {
  const { core, state } = setUp();
  const call = callOf(state, request({ method: 'ACK' }));
  assert.equal(sl_send_reply.call(call, 404, 'Not Found'), false);
  assert.equal(core.replies.length, 0);
  assert.equal(call.scope.settled, true);
});

test('sl_send_reply: adds the header lines that the run has for its replies', () => {
  const { core, state } = setUp();
  const call = callOf(state, request());
  call.scope.replyHeaders = 'Retry-After: 5\r\nX-A: 1\r\n';
  sl_send_reply.call(call, 503, 'Service Unavailable');
  const { text } = core.replies[0]!;
  assert.deepEqual(linesOf(text, 'retry-after'), ['Retry-After: 5']);
  assert.deepEqual(linesOf(text, 'x-a'), ['X-A: 1']);
});

test('sl_send_reply: writes the reason in UTF-8', () => {
  const { core, state } = setUp();
  sl_send_reply.call(callOf(state, request()), 404, 'Nicht da: Zoë');
  assert.equal(core.replies[0]!.text.split('\r\n')[0], 'SIP/2.0 404 Nicht da: Zo\xc3\xab');
});

test('sl_send_reply: a code outside 100..699 is ERR_REPLY_CODE', () => {
  const { core, state } = setUp();
  for (const code of [99, 700, 0, -404, 404.5, Number.NaN]) {
    assert.throws(() => sl_send_reply.call(callOf(state, request()), code, 'No'), {
      code: 'ERR_REPLY_CODE',
      message: `sl_send_reply: expected a reply code from 100 to 699, found ${code}`,
    });
  }
  assert.equal(core.replies.length, 0);
});

test('sl_send_reply: a line break in the reason is ERR_TEXT_LINE_BREAK', () => {
  const { core, state } = setUp();
  for (const reason of ['No\r\nX-Bad: 1', 'No\n', 'No\r']) {
    assert.throws(() => sl_send_reply.call(callOf(state, request()), 404, reason), {
      code: 'ERR_TEXT_LINE_BREAK',
    });
  }
  assert.equal(core.replies.length, 0);
});

test('sl_send_reply: a reply that cannot be sent is logged', () => {
  const { core, log, state } = setUp();
  core.replyError = new Error('network unreachable');
  sl_send_reply.call(callOf(state, request()), 404, 'Not Found');
  assert.deepEqual(
    log.lines.map((line) => [line.level, line.message, line.fields['code']]),
    [['warn', 'a stateless reply could not be sent', 404]],
  );
});

test('send_reply: goes through the transaction when there is one', () => {
  const { core, state } = setUp();
  const transactions = fakeTransactions(true);
  core.setTransactionLayer(transactions);
  const msg = request();
  const call = callOf(state, msg, { scope: scopeOf(msg, { transaction: {} }) });
  assert.equal(send_reply.call(call, 486, 'Busy Here'), true);
  assert.deepEqual(transactions.replies, [[486, 'Busy Here']]);
  assert.equal(core.replies.length, 0);
  assert.equal(call.scope.settled, true);
});

test('send_reply: false when the transaction takes no reply any more', () => {
  const { core, state } = setUp();
  core.setTransactionLayer(fakeTransactions(false));
  const msg = request();
  const call = callOf(state, msg, { scope: scopeOf(msg, { transaction: {}, route: 'failure' }) });
  assert.equal(send_reply.call(call, 486, 'Busy Here'), false);
  assert.equal(call.scope.settled, false);
});

test('send_reply: without a transaction replies without state', () => {
  for (const layer of [null, fakeTransactions(true)]) {
    const { core, state } = setUp();
    if (layer !== null) core.setTransactionLayer(layer);
    assert.equal(send_reply.call(callOf(state, request()), 404, 'Not Found'), true);
    assert.equal(core.replies.length, 1);
  }
});

test('send_reply: checks code and reason before the transaction sees them', () => {
  const { core, state } = setUp();
  const transactions = fakeTransactions(true);
  core.setTransactionLayer(transactions);
  const msg = request();
  const call = callOf(state, msg, { scope: scopeOf(msg, { transaction: {} }) });
  assert.throws(() => send_reply.call(call, 70, 'No'), { code: 'ERR_REPLY_CODE', message: /^send_reply: / });
  assert.throws(() => send_reply.call(call, 404, 'a\nb'), { code: 'ERR_TEXT_LINE_BREAK' });
  assert.deepEqual(transactions.replies, []);
});

test('sl_reply_error: replies 500', () => {
  const { core, state } = setUp();
  assert.equal(sl_reply_error.call(callOf(state, request())), true);
  assert.match(core.replies[0]!.text, /^SIP\/2\.0 500 /);
});

test('sl_send_reply: where the transaction has answered or sent the request on, it decides', () => {
  for (const sent of [true, false]) {
    const { core, state } = setUp();
    const transactions = fakeTransactions(sent, true);
    core.setTransactionLayer(transactions);
    const call = callOf(state, request());
    assert.equal(sl_send_reply.call(call, 486, 'Busy'), sent);
    assert.deepEqual(transactions.replies, [[486, 'Busy']]);
    assert.equal(core.replies.length, 0);
  }
});
