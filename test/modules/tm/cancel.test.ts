import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { gate } from '../../gate.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, header, request, response, vias } from './messages.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

const cancel = (headers = '') => request({ method: 'CANCEL', headers });

async function ringing() {
  const rig = await proxyRig(relayAll);
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]?.text ?? '';
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  return { rig, invite };
}

test('CANCEL: gets 200 at once with a To tag of our own, and goes on with the branch of the INVITE', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(cancel(), CALLER);
  const [ok, sent] = rig.take();
  assert.match(ok?.text ?? '', /^SIP\/2\.0 200 /);
  assert.equal(header(ok?.text ?? '', 'CSeq'), '1 CANCEL');
  assert.match(header(ok?.text ?? '', 'To'), /;tag=\w+$/);
  assert.match(sent?.text ?? '', /^CANCEL sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  assert.deepEqual(vias(sent?.text ?? ''), [vias(invite)[0]]);
  assert.equal(header(sent?.text ?? '', 'CSeq'), '1 CANCEL');
  assert.equal(header(sent?.text ?? '', 'From'), header(invite, 'From'));
  assert.equal(header(sent?.text ?? '', 'To'), header(invite, 'To'));
});

test('CANCEL: the Reason goes on with it (RFC 3326)', async () => {
  const { rig } = await ringing();
  await rig.receive(cancel('Reason: SIP;cause=200;text="Call completed elsewhere"\n'), CALLER);
  assert.equal(header(rig.take()[1]?.text ?? '', 'Reason'), 'SIP;cause=200;text="Call completed elsewhere"');
});

test('CANCEL: the 487 of the callee is acknowledged and goes to the caller', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(cancel(), CALLER);
  const sent = rig.take()[1]?.text ?? '';
  await rig.receive(response(sent, 200), CALLEE);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(invite, 487, { reason: 'Request Terminated' }), CALLEE);
  assert.deepEqual(rig.starts(), [
    'ACK sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
    'SIP/2.0 487 Request Terminated -> 10.0.0.2:5060',
  ]);
});

test('CANCEL: waits for a provisional response before it goes on (9.1)', async () => {
  const rig = await proxyRig(relayAll);
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]?.text ?? '';
  await rig.receive(cancel(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
  await rig.receive(response(invite, 100), CALLEE);
  assert.deepEqual(rig.starts(), ['CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('CANCEL: is sent again until it is answered; a callee that answers nothing ends in 487 after 64*T1', async () => {
  const { rig } = await ringing();
  await rig.receive(cancel(), CALLER);
  rig.take();
  await rig.advance(32_000);
  const sent = rig.take();
  const cancels = sent.filter(({ text }) => text.startsWith('CANCEL')).map(({ at }) => at);
  assert.deepEqual(cancels, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.match(sent.at(-1)?.text ?? '', /^SIP\/2\.0 487 Request Terminated\r\n/);
});

test('CANCEL: after a final response it gets 200 and changes nothing (9.2)', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(response(invite, 200), CALLEE);
  rig.take();
  await rig.receive(cancel(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
});

test('CANCEL: a 200 that crosses it goes on, and the call stands', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(cancel(), CALLER);
  rig.take();
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  await rig.advance(40_000);
  assert.ok(!rig.starts().some((line) => line.startsWith('SIP/2.0 487')));
});

test('CANCEL: one that matches no INVITE goes on without state (16.10)', async () => {
  const rig = await proxyRig(relayAll);
  await rig.receive(cancel(), CALLER);
  assert.deepEqual(rig.starts(), ['CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('t_check_trans: tells a CANCEL whose INVITE is here from one that has none', async () => {
  const seen: boolean[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.method === 'CANCEL') seen.push(ksr.tm.t_check_trans());
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(cancel(), CALLER);
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  await rig.receive(request({ method: 'CANCEL', branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  assert.deepEqual(seen, [false, true]);
});

test('CANCEL: one that comes while the request handler waits ends the call with 487, through the failure handler', async () => {
  const { opened, open } = gate();
  const events: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.method === 'INVITE') {
          ksr.tm.t_on_failure('over');
          await opened;
          events.push(`canceled: ${ksr.tm.t_is_canceled()}`);
        }
        await ksr.tm.t_relay();
      },
      failure: {
        over: ({ ksr }) => events.push(`failure handler, canceled: ${ksr.tm.t_is_canceled()}`),
      },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(cancel(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 487 Request Terminated -> 10.0.0.2:5060']);
  assert.deepEqual(events, ['canceled: true', 'failure handler, canceled: true']);
});

test('t_relay_cancel: ends the INVITE that is here, and leaves alone what it does not know', async () => {
  const seen: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        const isDone = ksr.tm.t_relay_cancel();
        seen.push(`${msg.method} ${isDone}`);
        if (!isDone && msg.method !== 'CANCEL') await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(cancel(), CALLER);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  const invite = rig.take()[1]?.text ?? '';
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  await rig.receive(request({ method: 'CANCEL', branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 200 canceling -> 10.0.0.2:5060',
    'CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
  ]);
  assert.deepEqual(seen, ['CANCEL false', 'INVITE false', 'CANCEL true']);
});
