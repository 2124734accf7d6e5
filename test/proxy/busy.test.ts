import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { proxyRig, type ProxyRig } from '../proxy-rig.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

/** Requests a second that the proxy never goes below. */
const LEAST_RATE = 50;

/** A proxy at which messages have waited for a second, with a call under way, and no place left at this moment. */
async function busyProxy(): Promise<{ readonly rig: ProxyRig; readonly invite: string }> {
  const rig = await proxyRig(relayAll, { limits: { maxWaitMs: 100 } });
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  rig.edge.answersProbes = false;
  for (let i = 0; i < 10; i += 1) {
    await rig.advance(100);
    await rig.receive(newCall(`before-${i}`), CALLER);
  }
  // What one window lets through goes at once.
  for (let i = 0; i < LEAST_RATE; i += 1) await rig.receive(newCall(`burst-${i}`), CALLER);
  rig.take();
  return { rig, invite };
}

function newCall(name: string): string {
  return request({ branch: `z9hG4bK${name}`, callId: name });
}

test('a busy proxy: a new request gets 503 with Retry-After, and leaves nothing behind', async () => {
  const { rig } = await busyProxy();
  const refusedBefore = rig.proxy.counters.refused;
  await rig.receive(newCall('new'), CALLER);
  const [refused, ...others] = rig.take();
  assert.match(refused!.text, /^SIP\/2\.0 503 /);
  assert.equal(header(refused!.text, 'Retry-After'), '5');
  assert.deepEqual(others, []);
  assert.equal(rig.proxy.counters.refused, refusedBefore + 1);
});

test('a busy proxy: what belongs to a call under way is served', async () => {
  const { rig, invite } = await busyProxy();
  await rig.receive(response(invite, 180), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060'], 'a retransmission');
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 200 canceling -> 10.0.0.2:5060',
    'CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
  ]);
  await rig.receive(request({ method: 'BYE', branch: 'z9hG4bKbye', toTag: 'x', callId: 'call-3' }), CALLER);
  assert.deepEqual(rig.starts(), ['BYE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('a busy proxy: once messages are read at once again, every request is taken', async () => {
  const { rig } = await busyProxy();
  rig.edge.answersProbes = true;
  // A probe that is away has to be given up first, and then nothing turned away for a while.
  for (let i = 0; i < 25; i += 1) {
    await rig.advance(100);
    await rig.receive(newCall(`one-${i}`), CALLER);
  }
  rig.take();
  for (let i = 0; i < 2 * LEAST_RATE; i += 1) await rig.receive(newCall(`after-${i}`), CALLER);
  const starts = rig.starts();
  assert.equal(starts.filter((line) => line.startsWith('INVITE')).length, 2 * LEAST_RATE);
  assert.equal(starts.filter((line) => line.startsWith('SIP/2.0 503')).length, 0);
});
