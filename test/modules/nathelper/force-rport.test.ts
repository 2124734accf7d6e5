import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, forceRport } from '../../../core/index.ts';
import { markReceived } from '../../../core/sip/print.ts';
import { buildReply, replyTarget } from '../../../core/sip/reply.ts';
import { gate } from '../../gate.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { linesOf, printed, received, request } from '../fake-core.ts';
import { request as text, vias } from '../tm/messages.ts';

/** A caller behind a NAT that does not know of rport: its Via names another port than it sends from. */
const NATED = { address: '10.0.0.2', port: 45_678 };
const VIA = 'SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKa1';

test('force_rport: replies go to the source port, and Via says so in them and in what is sent on', async () => {
  const routes = defineRoutes({
    uses: ['nathelper', 'tm'],
    request({ ksr }) {
      ksr.nathelper.force_rport();
      return ksr.tm.t_relay();
    },
  });
  const rig = await proxyRig(routes, { modules: { tm: {}, nathelper: {} } });
  await rig.receive(text(), NATED);
  const [trying, invite] = rig.take();
  const via = 'SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1;received=10.0.0.2;rport=45678';
  assert.equal(trying?.to, '10.0.0.2:45678');
  assert.deepEqual(vias(trying.text), [via]);
  assert.deepEqual(vias(invite?.text ?? '').slice(1), [via]);
});

test('force_rport: replies to retransmissions go there too, also when it was called late', async () => {
  const { opened, open } = gate();
  const routes = defineRoutes({
    uses: ['nathelper', 'tm'],
    async request({ ksr }) {
      await opened;
      ksr.nathelper.force_rport();
      ksr.tm.t_reply(486, 'Busy Here');
    },
  });
  const rig = await proxyRig(routes, { modules: { tm: {}, nathelper: {} } });
  await rig.receive(text(), NATED);
  await rig.advance(200);
  assert.deepEqual(rig.starts(), ['SIP/2.0 100 Trying -> 10.0.0.2:5060'], 'before it was called');
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 486 Busy Here -> 10.0.0.2:45678']);
  await rig.receive(text(), NATED);
  assert.deepEqual(rig.starts(), ['SIP/2.0 486 Busy Here -> 10.0.0.2:45678']);
});

test('force_rport: replies without state go to the source port', async () => {
  const routes = defineRoutes({
    uses: ['nathelper', 'sl'],
    request({ ksr }) {
      ksr.nathelper.force_rport();
      ksr.sl.sl_send_reply(404, 'Not Found');
    },
  });
  const rig = await proxyRig(routes, { modules: { sl: {}, nathelper: {} } });
  await rig.receive(text(), NATED);
  assert.deepEqual(rig.starts(), ['SIP/2.0 404 Not Found -> 10.0.0.2:45678']);
});

/** The top Via as received, and as it is once rport was forced; received from 198.51.100.7:5070. */
const VIAS: readonly (readonly [string, string])[] = [
  [VIA, `${VIA};received=198.51.100.7;rport=5070`],
  [`${VIA};received=10.9.9.9`, `${VIA};received=198.51.100.7;rport=5070`],
  [`${VIA};rport`, `${VIA};rport=5070;received=198.51.100.7`],
  [`${VIA};rport=9`, `${VIA};rport=5070;received=198.51.100.7`],
];
for (const [given, wanted] of VIAS) {
  test(`forceRport: ${given} becomes ${wanted}, whether received was marked before or after`, () => {
    for (const order of ['before', 'after', 'twice']) {
      const msg = request({ via: given });
      if (order !== 'after') markReceived(msg);
      forceRport(msg);
      if (order === 'twice') forceRport(msg);
      markReceived(msg);
      assert.deepEqual(linesOf(printed(msg), 'via'), [`Via: ${wanted}`]);
      const reply = buildReply(msg, 200, 'OK', { toTag: 't' }).toString('latin1');
      assert.deepEqual(linesOf(reply, 'via'), [`Via: ${wanted}`]);
      const branch = msg.fork();
      assert.deepEqual(linesOf(printed(branch), 'via'), [`Via: ${wanted}`]);
      assert.equal(replyTarget(branch).port, received.port);
    }
  });
}
