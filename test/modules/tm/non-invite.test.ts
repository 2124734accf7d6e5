import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, request, response } from './messages.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});
const message = () => request({ method: 'MESSAGE' });

async function relayed() {
  const rig = await proxyRig(relayAll);
  await rig.receive(message(), CALLER);
  const sent = rig.take();
  assert.deepEqual(
    sent.map(({ to }) => to),
    ['10.0.0.3:5060'],
    'it goes on and no 100 is sent',
  );
  return { rig, sent: sent[0]?.text ?? '' };
}

test('MESSAGE: its final response goes on; a retransmission gets it again, and the callee nothing', async () => {
  const { rig, sent } = await relayed();
  await rig.receive(message(), CALLER);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(sent, 200), CALLEE);
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  await rig.advance(31_900);
  await rig.receive(message(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  await rig.advance(200);
  await rig.receive(message(), CALLER);
  assert.deepEqual(rig.starts(), ['MESSAGE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('MESSAGE: gets a 100 after 3.5 s if nothing else was sent, and not before (RFC 4320 4.1)', async () => {
  const { rig } = await relayed();
  await rig.advance(3_499);
  assert.ok(!rig.starts().some((line) => line.startsWith('SIP/2.0')));
  await rig.advance(1);
  assert.deepEqual(
    rig.starts().filter((line) => line.startsWith('SIP/2.0')),
    ['SIP/2.0 100 Trying -> 10.0.0.2:5060'],
  );
});

test('MESSAGE: no provisional response goes on (RFC 4320 4.1)', async () => {
  const { rig, sent } = await relayed();
  for (const status of [100, 180, 183]) await rig.receive(response(sent, status), CALLEE);
  assert.deepEqual(rig.starts(), []);
});

test('MESSAGE: a silent callee gets it until 64*T1; the caller gets no 408 (RFC 4320 4.2)', async () => {
  const { rig } = await relayed();
  await rig.advance(70_000);
  const sent = rig.take();
  assert.equal(sent.filter(({ text }) => text.startsWith('MESSAGE')).length, 10);
  assert.deepEqual(
    sent.filter(({ text }) => text.startsWith('SIP/2.0')).map(({ text }) => text.slice(0, 11)),
    ['SIP/2.0 100'],
  );
  assert.equal(rig.clock.pending, 0);
});

for (const status of [200, 302, 404, 500, 604]) {
  test(`MESSAGE: a ${status} goes on without an ACK`, async () => {
    const { rig, sent } = await relayed();
    await rig.receive(response(sent, status), CALLEE);
    assert.deepEqual(rig.starts(), [`SIP/2.0 ${status} Any -> 10.0.0.2:5060`]);
  });
}

test('an unknown method goes on like any other', async () => {
  const rig = await proxyRig(relayAll);
  await rig.receive(request({ method: 'FOO' }), CALLER);
  assert.deepEqual(rig.starts(), ['FOO sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});
