import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, request, response } from './messages.ts';

/** What a transaction does that has been answered for good and only waits for the end of its last state. */
const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

async function answered(status: number, method = 'INVITE') {
  const rig = await proxyRig(relayAll);
  await rig.receive(request({ method }), CALLER);
  const sent = rig.take().find(({ text }) => text.startsWith(method))?.text ?? '';
  await rig.receive(response(sent, status), CALLEE);
  return { rig, sent };
}

test('answered with 200: the INVITE again is absorbed, the 200 again goes on, a failure does not, until 64*T1', async () => {
  const { rig, sent } = await answered(200);
  rig.take();
  await rig.advance(31_900);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  for (const status of [100, 180, 486]) await rig.receive(response(sent, status), CALLEE);
  assert.deepEqual(rig.starts(), []);
  await rig.advance(100);
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.starts(), [], 'RFC 6026 7.3');
});

test('answered with 200: a 200 again that cannot be sent is told', async () => {
  const { rig, sent } = await answered(200);
  rig.edge.unreachable.add('10.0.0.2:5060');
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.lines('warn'), ['reply could not be sent']);
});

test('refused: each failure again gets the same ACK, for 64*T1; a 200 then goes nowhere', async () => {
  const { rig, sent } = await answered(486);
  const [ack] = rig.take().filter(({ text }) => text.startsWith('ACK '));
  assert.equal(ack?.to, '10.0.0.3:5060');
  await rig.receive(request({ method: 'ACK', cseqMethod: 'ACK' }), CALLER);
  for (const wait of [1_000, 30_900]) {
    await rig.advance(wait);
    rig.take();
    await rig.receive(response(sent, 486), CALLEE);
    assert.deepEqual(
      rig.take().map(({ text, to }) => ({ text, to })),
      [{ text: ack.text, to: ack.to }],
    );
  }
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.starts(), []);
  await rig.advance(200);
  await rig.receive(response(sent, 486), CALLEE);
  assert.deepEqual(rig.starts(), []);
});

test('refused and acknowledged: further ACKs and INVITEs are absorbed for T4', async () => {
  const { rig } = await answered(486);
  const ack = request({ method: 'ACK' });
  await rig.receive(ack, CALLER);
  rig.take();
  await rig.advance(4_900);
  await rig.receive(ack, CALLER);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), []);
  await rig.advance(200);
  await rig.receive(request(), CALLER);
  assert.equal(rig.starts().at(-1), 'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
});

test('answered: a CANCEL gets 200 and ends nothing', async () => {
  const { rig } = await answered(200);
  rig.take();
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
});

test('a stop in the final wait leaves no timer', async () => {
  const { rig } = await answered(200);
  await rig.advance(100);
  await rig.proxy.stop();
  assert.equal(rig.clock.pending, 0);
});
