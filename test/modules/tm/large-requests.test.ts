import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, request, response, vias } from './messages.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});
/** Over 1,300 bytes as it leaves (RFC 3261 18.1.1). */
const LARGE = request({ headers: `X-Long: ${'x'.repeat(1_300)}\n` });

async function rigWithTcp() {
  const rig = await proxyRig(relayAll);
  rig.edge.listensOnTcp = true;
  return rig;
}

test('large requests: t_relay sends one over 1,300 bytes by TCP, once, and its CANCEL the same way', async () => {
  const rig = await rigWithTcp();
  await rig.receive(LARGE, CALLER);
  const invite = rig.take()[1]?.text ?? '';
  assert.match(vias(invite)[0] ?? '', /^SIP\/2\.0\/TCP 10\.0\.0\.1:5060;/);
  await rig.advance(5_000);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(vias(rig.take()[1]?.text ?? ''), [vias(invite)[0]]);
});

test('large requests: a next hop that takes no connection gets it by UDP, sent again as UDP asks', async () => {
  const rig = await rigWithTcp();
  rig.edge.unreachable.add('tcp:10.0.0.3:5060');
  await rig.receive(LARGE, CALLER);
  const invite = rig.take()[1]?.text ?? '';
  assert.match(vias(invite)[0] ?? '', /^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;/);
  await rig.advance(500);
  assert.deepEqual(rig.starts(), ['INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
  await rig.receive(response(invite, 486), CALLEE);
  const [ack, final] = rig.take();
  assert.deepEqual(vias(ack?.text ?? ''), [vias(invite)[0]]);
  assert.match(final?.text ?? '', /^SIP\/2\.0 486 /);
});

test('large requests: where neither can be sent the caller gets 500', async () => {
  const rig = await rigWithTcp();
  rig.edge.unreachable.add('10.0.0.3:5060');
  await rig.receive(LARGE, CALLER);
  assert.equal(rig.starts().at(-1), 'SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060');
});

test('large requests: without TCP they go by UDP, and small ones always do', async () => {
  const udpOnly = await proxyRig(relayAll);
  await udpOnly.receive(LARGE, CALLER);
  assert.match(vias(udpOnly.take()[1]?.text ?? '')[0] ?? '', /^SIP\/2\.0\/UDP /);
  const both = await rigWithTcp();
  await both.receive(request(), CALLER);
  assert.match(vias(both.take()[1]?.text ?? '')[0] ?? '', /^SIP\/2\.0\/UDP /);
});
