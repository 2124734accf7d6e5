import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { proxyRig, type Sent } from '../proxy-rig.ts';

const other = (n: number, parts: { readonly method?: string; readonly toTag?: string } = {}) =>
  request({ branch: `z9hG4bKother${n}`, callId: `call-${n}`, ...parts });

function assertRefused(sent: readonly Sent[]): void {
  assert.equal(sent.length, 1);
  assert.match(sent[0]!.text, /^SIP\/2\.0 503 Service Unavailable\r\n/);
  assert.match(header(sent[0]!.text, 'Retry-After'), /^\d+$/);
  assert.equal(sent[0]!.to, '10.0.0.2:5060');
}

/** A proxy whose handlers wait for a gate before they relay, but for those of a CANCEL. */
async function slow(limits: { readonly handlers?: number; readonly lane?: number }) {
  const { opened, open } = gate();
  const seen: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        seen.push(msg.callId);
        if (msg.method !== 'CANCEL') await opened;
        await ksr.tm.t_relay();
      },
    }),
    { limits },
  );
  return { rig, seen, open };
}

test('overload: above limits.handlers a request gets 503 with Retry-After, and leaves no state', async () => {
  const { rig, seen } = await slow({ handlers: 2 });
  await rig.receive(request(), CALLER);
  await rig.receive(other(2), CALLER);
  const { pending } = rig.clock;
  await rig.receive(other(3), CALLER);
  assertRefused(rig.take());
  assert.equal(rig.clock.pending, pending);
  assert.deepEqual(seen, ['call-1', 'call-2']);
  assert.equal(rig.proxy.counters.refused, 1);
});

test('overload: a CANCEL is taken above limits.handlers, since it makes room', async () => {
  const { rig, open } = await slow({ handlers: 1 });
  await rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  open();
  await rig.advance(0);
  assert.deepEqual(
    rig.starts().map((line) => line.slice(0, 11)),
    ['SIP/2.0 200', 'SIP/2.0 487'],
  );
});

test('overload: handlers of responses that wait count as well', async () => {
  const { opened } = gate();
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_on_reply('slow');
        await ksr.tm.t_relay();
      },
      onreply: { slow: () => opened },
    }),
    { limits: { handlers: 1 } },
  );
  await rig.receive(request(), CALLER);
  await rig.receive(response(rig.take()[1]!.text, 180), CALLEE);
  await rig.receive(other(2), CALLER);
  assertRefused(rig.take());
});

test('overload: retransmissions of requests that were taken are absorbed meanwhile', async () => {
  const { rig, seen } = await slow({ handlers: 1 });
  await rig.receive(request(), CALLER);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.take(), []);
  assert.deepEqual(seen, ['call-1']);
  assert.equal(rig.proxy.counters.refused, 0);
});

test('overload: an ACK is dropped and never answered', async () => {
  const { rig, seen } = await slow({ handlers: 1 });
  await rig.receive(request(), CALLER);
  await rig.receive(other(2, { method: 'ACK', toTag: 'bob' }), CALLER);
  assert.deepEqual(rig.take(), []);
  assert.deepEqual(seen, ['call-1']);
  assert.equal(rig.proxy.counters.refused, 1);
});

test('overload: the ACK of a 503 ends here, and once there is room requests are taken again', async () => {
  const { rig, seen, open } = await slow({ handlers: 1 });
  await rig.receive(request(), CALLER);
  await rig.receive(other(2), CALLER);
  const toTag = header(rig.take()[0]!.text, 'To').split('tag=')[1]!;
  open();
  await rig.advance(0);
  assert.equal(rig.starts().at(-1), 'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
  await rig.receive(other(2, { method: 'ACK', toTag }), CALLER);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(other(3), CALLER);
  assert.equal(rig.starts().at(-1), 'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
  assert.deepEqual(seen, ['call-1', 'call-3']);
});

test('overload: a retransmission of a refused request is refused too, whatever room there is by then', async () => {
  const { rig, seen, open } = await slow({ handlers: 1 });
  await rig.receive(request(), CALLER);
  await rig.receive(other(2), CALLER);
  const [refused] = rig.take();
  open();
  await rig.advance(0);
  rig.take();
  await rig.receive(other(2), CALLER);
  assert.deepEqual(rig.take(), [{ ...refused, at: rig.clock.now() }]);
  assert.deepEqual(seen, ['call-1']);
});

test('overload: above tm.max_transactions a request gets 503 without state; one that is known is absorbed', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        await ksr.tm.t_relay();
      },
    }),
    { modules: { tm: { max_transactions: 1 } } },
  );
  await rig.receive(request({ method: 'MESSAGE' }), CALLER);
  const [sent] = rig.take();
  const { pending } = rig.clock;
  await rig.receive(other(2, { method: 'MESSAGE' }), CALLER);
  assertRefused(rig.take());
  assert.equal(rig.clock.pending, pending);
  await rig.receive(request({ method: 'MESSAGE' }), CALLER);
  assert.deepEqual(rig.take(), []);
  await rig.receive(response(sent!.text, 200), CALLEE);
  await rig.advance(32_000);
  rig.take();
  await rig.receive(other(3, { method: 'MESSAGE' }), CALLER);
  assert.deepEqual(rig.starts(), ['MESSAGE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

/** A request within the dialog of call-1. */
const info = (cseq: number) => request({ method: 'INFO', branch: `z9hG4bKi${cseq}`, cseq, toTag: 'bob' });

test('lanes: requests of one dialog and side wait in line up to limits.lane; one more gets 503, another dialog none', async () => {
  const { rig, seen, open } = await slow({ lane: 2 });
  for (const cseq of [1, 2, 3]) await rig.receive(info(cseq), CALLER);
  assert.deepEqual(rig.take(), []);
  assert.deepEqual(seen, ['call-1'], 'two wait');
  await rig.receive(info(4), CALLER);
  assertRefused(rig.take());
  await rig.receive(other(5, { method: 'INFO', toTag: 'bob' }), CALLER);
  assert.deepEqual(seen, ['call-1', 'call-5']);
  open();
  await rig.advance(0);
  const relayed = rig.take().map(({ text }) => `${header(text, 'Call-ID')} ${header(text, 'CSeq')}`);
  assert.deepEqual(
    relayed.filter((each) => each.startsWith('call-1')),
    ['call-1 1 INFO', 'call-1 2 INFO', 'call-1 3 INFO'],
  );
  assert.ok(relayed.includes('call-5 1 INFO'));
});

test('lanes: a request refused there leaves no transaction: it is taken when it comes again', async () => {
  const { rig, open } = await slow({ lane: 1 });
  for (const cseq of [1, 2, 3]) await rig.receive(info(cseq), CALLER);
  assertRefused(rig.take());
  open();
  await rig.advance(0);
  rig.take();
  await rig.receive(info(3), CALLER);
  assert.deepEqual(rig.starts(), ['INFO sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('stateless replies: the ACK of a 200 ends here too, whatever branch it has, and other ACKs meet the handler', async () => {
  const seen: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['sl'],
      request({ msg, ksr }) {
        seen.push(msg.method);
        if (msg.method !== 'ACK') ksr.sl.sl_send_reply(200, 'OK');
      },
    }),
    { modules: { sl: {} } },
  );
  await rig.receive(request(), CALLER);
  const toTag = header(rig.take()[0]!.text, 'To').split('tag=')[1]!;
  await rig.receive(request({ method: 'ACK', branch: 'z9hG4bKack', toTag }), CALLER);
  assert.deepEqual(seen, ['INVITE']);
  await rig.receive(request({ method: 'ACK', branch: 'z9hG4bKack', toTag: 'bob' }), CALLER);
  assert.deepEqual(seen, ['INVITE', 'ACK']);
  assert.equal(rig.proxy.counters.requests, 3);
});
