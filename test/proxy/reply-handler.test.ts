import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, type SipResponse } from '../../core/index.ts';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarder, type ForwarderContext } from './forwarder.ts';

const relay = async ({ ksr }: { ksr: { tm: { t_relay(): unknown } } }) => {
  await ksr.tm.t_relay();
};

/** A rig whose INVITE has been relayed by routes with this reply handler. */
async function relayed(reply: (context: { msg: SipResponse } & Pick<ForwarderContext, 'ksr'>) => unknown) {
  const rig = await proxyRig(
    { uses: ['tm', 'forwarder'], request: relay, reply },
    { modules: { tm: {}, forwarder: {} }, extra: [forwarder] },
  );
  await rig.receive(request(), CALLER);
  return { rig, invite: rig.take()[1]!.text };
}

test('reply handler: runs for each response before anything else, and it goes on afterwards', async () => {
  const seen: number[] = [];
  const { rig, invite } = await relayed(({ msg }) => seen.push(msg.status));
  for (const status of [100, 180, 200]) await rig.receive(response(invite, status), CALLEE);
  assert.deepEqual(seen, [100, 180, 200]);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060', 'SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('reply handler: while it waits, later responses of the transaction wait as well', async () => {
  const { opened, open } = gate();
  const { rig, invite } = await relayed(({ msg }) => (msg.status === 180 ? opened : undefined));
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), []);
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060', 'SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('reply handler: those of another transaction do not wait', async () => {
  const { opened } = gate();
  const { rig, invite } = await relayed(({ msg }) => (msg.callId === 'call-1' ? opened : undefined));
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  const other = rig.take()[1]!.text;
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(other, 180), CALLEE);
  assert.equal(rig.starts().length, 1);
});

test('reply handler: what it drops reaches no transaction', async () => {
  const { rig, invite } = await relayed(({ msg, ksr }) => {
    if (msg.status === 486) ksr.forwarder.drop();
  });
  await rig.receive(response(invite, 486), CALLEE);
  assert.deepEqual(rig.take(), []);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('reply handler: when it throws, the response goes on', async () => {
  const { rig, invite } = await relayed(() => {
    throw new Error('no such thing');
  });
  await rig.receive(response(invite, 180), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
  assert.match(rig.lines('error').join(), /no such thing/);
});

test('reply handler: a response whose top Via is not ours never reaches it', async () => {
  const seen: number[] = [];
  const { rig, invite } = await relayed(({ msg }) => seen.push(msg.status));
  await rig.receive(response(invite, 200).replace('10.0.0.1:5060', '10.9.9.9:5060'), CALLEE);
  assert.deepEqual([seen, rig.take()], [[], []]);
  assert.equal(rig.proxy.counters.stray, 1);
});

test('reply handler: responses go on while as many request handlers wait as may', async () => {
  const { opened } = gate();
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.callId !== 'call-1') await opened;
        await ksr.tm.t_relay();
      },
      reply() {},
    }),
    { limits: { handlers: 1 } },
  );
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  await rig.receive(response(invite, 180), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
});

test('reply handler: more responses of one transaction than limits.lane are dropped and counted', async () => {
  const { opened, open } = gate();
  const rig = await proxyRig(
    defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay(), reply: () => opened }),
    { limits: { lane: 2 } },
  );
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  for (const status of [180, 181, 182, 183]) await rig.receive(response(invite, status), CALLEE);
  assert.equal(rig.proxy.counters.refused, 1);
  open();
  await rig.advance(0);
  assert.deepEqual(
    rig.starts().map((line) => line.slice(8, 11)),
    ['180', '181', '182'],
  );
});
