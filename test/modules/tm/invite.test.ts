import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, header, request, response, vias } from './messages.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

/** A rig whose INVITE has been relayed; `invite` is what the callee got. */
async function relayed(routes: unknown = relayAll) {
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  const sent = rig.take();
  const invite = sent.find(({ text }) => text.startsWith('INVITE'));
  assert.ok(invite, 'the INVITE was relayed');
  return { rig, invite: invite.text, sent };
}

test('INVITE: gets 100 without a To tag, and goes on with one Via on top and Max-Forwards lowered', async () => {
  const { sent, invite } = await relayed();
  assert.match(sent[0]?.text ?? '', /^SIP\/2\.0 100 Trying\r\n/);
  assert.equal(header(sent[0]?.text ?? '', 'To'), '<sip:bob@10.0.0.3>');
  assert.equal(sent[1]?.to, '10.0.0.3:5060');
  assert.equal(header(invite, 'Max-Forwards'), '69');
  assert.equal(vias(invite).length, 2);
  assert.match(vias(invite)[0] ?? '', /^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;branch=z9hG4bK[0-9a-z]{13,}$/);
  assert.equal(vias(invite)[1], 'SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1');
});

test('INVITE: provisional responses go on at once with the To tag untouched; 100 does not', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 100), CALLEE);
  assert.deepEqual(rig.take(), []);
  for (const status of [180, 183]) {
    await rig.receive(response(invite, status, { reason: 'Ringing' }), CALLEE);
    const [ringing] = rig.take();
    assert.equal(ringing?.to, '10.0.0.2:5060');
    assert.deepEqual(vias(ringing?.text ?? ''), ['SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1']);
    assert.equal(header(ringing?.text ?? '', 'To'), '<sip:bob@10.0.0.3>;tag=bob');
  }
});

test('INVITE: every 2xx goes on, retransmissions too', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 200), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  await rig.receive(response(invite, 200, { toTag: 'other' }), CALLEE);
  assert.deepEqual(rig.starts(), Array<string>(3).fill('SIP/2.0 200 Any -> 10.0.0.2:5060'));
});

test('INVITE: a response that overtakes nothing is not reordered: 180 then 200', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060', 'SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

for (const status of [302, 404, 486, 500, 603]) {
  test(`INVITE: a ${status} is acknowledged hop by hop and goes on; the caller's ACK ends here`, async () => {
    const { rig, invite } = await relayed();
    await rig.receive(response(invite, status), CALLEE);
    const [ack, final] = rig.take();
    assert.match(ack?.text ?? '', /^ACK sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
    assert.deepEqual(vias(ack?.text ?? ''), [vias(invite)[0]]);
    assert.equal(header(ack?.text ?? '', 'To'), '<sip:bob@10.0.0.3>;tag=bob');
    assert.equal(header(ack?.text ?? '', 'CSeq'), '1 ACK');
    assert.equal(final?.to, '10.0.0.2:5060');
    assert.match(final?.text ?? '', new RegExp(`^SIP/2\\.0 ${status} `));
    await rig.receive(request({ method: 'ACK', toTag: 'bob' }), CALLER);
    await rig.advance(10_000);
    assert.deepEqual(rig.starts(), []);
  });
}

test('INVITE: a 503 becomes a 500, since it speaks of the next hop and not of this proxy', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 503), CALLEE);
  assert.deepEqual(
    rig.starts().map((line) => line.slice(0, 11)),
    ['ACK sip:bob', 'SIP/2.0 500'],
  );
});

test('INVITE: an unacknowledged failure is sent again at T1, 2*T1 up to T2, until 64*T1', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 486), CALLEE);
  rig.take();
  await rig.advance(40_000);
  const times = rig.take().map(({ at }) => at);
  assert.deepEqual(times, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.deepEqual(rig.lines('info'), ['no ACK came for the final reply']);
});

test('INVITE: a silent callee gets it at 0, 0.5, 1.5 ... 31.5 s and the caller 408 at 32 s', async () => {
  const { rig } = await relayed();
  await rig.advance(32_000);
  const sent = rig.take();
  const invites = sent.filter(({ text }) => text.startsWith('INVITE')).map(({ at }) => at);
  assert.deepEqual(invites, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  const final = sent.at(-1);
  assert.match(final?.text ?? '', /^SIP\/2\.0 408 Request Timeout\r\n/);
  assert.equal(final?.at, 32_000);
});

test('INVITE: a provisional response ends the retransmissions; timer C, started anew by each, ends the call', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  await rig.advance(180_000);
  await rig.receive(response(invite, 183), CALLEE);
  rig.take();
  await rig.advance(184_000);
  assert.deepEqual(rig.starts(), []);
  await rig.advance(2_000);
  const cancels = rig.starts();
  assert.equal(cancels[0], 'CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
  await rig.receive(response(invite, 487), CALLEE);
  assert.match(rig.starts().at(-1) ?? '', /^SIP\/2\.0 487 /);
});

test('INVITE: a retransmission gets the last provisional response again, and the callee nothing', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 100 Trying -> 10.0.0.2:5060']);
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
});

test('matching: the same branch from another sent-by is another transaction (17.2.3)', async () => {
  const { rig } = await relayed();
  await rig.receive(request({ sentBy: '10.0.0.9', callId: 'call-2' }), { address: '10.0.0.9', port: 5060 });
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 100 Trying -> 10.0.0.9:5060',
    'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
  ]);
});

test('matching: RFC 2543 requests without a magic cookie are told apart by their headers, ACK included', async () => {
  const rig = await proxyRig(relayAll);
  await rig.receive(request({ branch: '1' }), CALLER);
  const invite = rig.take()[1]?.text ?? '';
  await rig.receive(request({ branch: '1' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 100 Trying -> 10.0.0.2:5060']);
  await rig.receive(response(invite, 486), CALLEE);
  rig.take();
  await rig.receive(request({ branch: '1', method: 'ACK', toTag: 'bob' }), CALLER);
  await rig.advance(5_000);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(request({ branch: '1', cseq: 2 }), CALLER);
  assert.equal(rig.starts().length, 2);
});

test('ACK of a 2xx goes on without a transaction, its branch the same when it is sent again', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 200), CALLEE);
  rig.take();
  const ack = request({ method: 'ACK', branch: 'z9hG4bKack', toTag: 'bob' });
  await rig.receive(ack, CALLER);
  await rig.receive(ack, CALLER);
  const sent = rig.take();
  assert.deepEqual(
    sent.map(({ to }) => to),
    ['10.0.0.3:5060', '10.0.0.3:5060'],
  );
  assert.equal(sent[0]?.text, sent[1]?.text);
  assert.equal(vias(sent[0]?.text ?? '').length, 2);
});

test('INVITE: one that cannot be sent is answered with 500 at once (16.9: as if 503 had come)', async () => {
  const rig = await proxyRig(relayAll);
  rig.edge.unreachable.add('10.0.0.3:5060');
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 100 Trying -> 10.0.0.2:5060',
    'SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060',
  ]);
});

test('responses that match no transaction are dropped (RFC 6026 7.3), and so are those whose top Via is not ours', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 200).replace(/branch=z9hG4bK\w+/, 'branch=z9hG4bKforged'), CALLEE);
  await rig.receive(response(invite, 200).replace('10.0.0.1:5060', '10.9.9.9:5060'), CALLEE);
  assert.deepEqual(rig.starts(), []);
  assert.equal(rig.proxy.counters.stray, 2);
});

test('memory: nothing is left of a call once its timers have run', async () => {
  const { rig, invite } = await relayed();
  await rig.receive(response(invite, 486), CALLEE);
  await rig.receive(request({ method: 'ACK', toTag: 'bob' }), CALLER);
  await rig.advance(40_000);
  assert.equal(rig.clock.pending, 0);
});

test('matching: a response with another method in its CSeq is no answer (17.1.3)', async () => {
  const { rig, invite } = await relayed();
  for (const status of [180, 200, 486])
    await rig.receive(response(invite, status, { method: 'BYE' }), CALLEE);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(invite, 603), CALLEE);
  assert.equal(rig.starts().at(-1), 'SIP/2.0 603 Any -> 10.0.0.2:5060');
  await rig.receive(response(invite, 603, { method: 'BYE' }), CALLEE);
  assert.deepEqual(rig.starts(), [], 'nor is it acknowledged');
});

test('INVITE: a response with no Via but ours goes no further; of a failure the status does (16.7 step 3)', async () => {
  const { rig, invite } = await relayed();
  const alone = (status: number): string =>
    response(invite, status).replace('Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1\n', '');
  for (const status of [180, 200]) {
    assert.equal(vias(alone(status).replaceAll('\n', '\r\n')).length, 1);
    await rig.receive(alone(status), CALLEE);
  }
  assert.deepEqual(rig.starts(), []);
  await rig.receive(alone(486), CALLEE);
  const sent = rig.take();
  assert.ok(sent[0]?.text.startsWith('ACK '));
  const reply = sent[1]?.text ?? '';
  assert.ok(reply.startsWith('SIP/2.0 486 Busy Here\r\n'));
  assert.deepEqual(vias(reply), ['SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1']);
});

test('ACK of a late 2xx is no ACK of our own 408: the To tag tells where no branch does (17.2.3)', async () => {
  for (const branch of ['1', 'z9hG4bK']) {
    const rig = await proxyRig(relayAll, { modules: { tm: { fr_timer: 1_000, wt_timer: 10_000 } } });
    await rig.receive(request({ branch }), CALLER);
    const invite = rig.take()[1]?.text ?? '';
    await rig.advance(1_000);
    const [timeout] = rig.take().filter(({ text }) => text.startsWith('SIP/2.0 408'));
    const [, ownTag = ''] = header(timeout?.text ?? '', 'To').split(';tag=');
    assert.notEqual(ownTag, '');
    await rig.receive(response(invite, 200, { toTag: 'late' }), CALLEE);
    assert.equal(rig.starts().at(-1), 'SIP/2.0 200 Any -> 10.0.0.2:5060');
    await rig.receive(request({ branch, method: 'ACK', toTag: 'late' }), CALLER);
    assert.deepEqual(rig.starts(), ['ACK sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
    await rig.receive(request({ branch, method: 'ACK', toTag: ownTag }), CALLER);
    await rig.advance(5_000);
    assert.deepEqual(rig.starts(), []);
  }
});

test('ACK of a 2xx without a branch of its own reads its own Routes, though onreply keeps what the INVITE came to', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'rr'],
    async request({ msg, ksr }) {
      if (ksr.rr.loose_route() || msg.method !== 'ACK') {
        if (msg.method === 'INVITE') ksr.tm.t_on_reply('answered');
        await ksr.tm.t_relay();
      }
    },
    onreply: { answered() {} },
  });
  for (const branch of ['1', 'z9hG4bKcaller1']) {
    const rig = await proxyRig(routes);
    await rig.receive(request({ branch }), CALLER);
    const invite = rig.take()[1]?.text ?? '';
    await rig.receive(response(invite, 200), CALLEE);
    rig.take();
    const headers = 'Route: <sip:10.0.0.1;lr>\nRoute: <sip:10.0.0.9;lr>\n';
    await rig.receive(request({ branch, method: 'ACK', toTag: 'bob', headers }), CALLER);
    assert.deepEqual(rig.starts(), ['ACK sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.9:5060']);
  }
});

test('matching: a branch that is the magic cookie alone says nothing (RFC 4475 3.2.1)', async () => {
  const { rig } = await relayed();
  for (const callId of ['e1', 'e2']) await rig.receive(request({ branch: 'z9hG4bK', callId }), CALLER);
  assert.equal(rig.starts().filter((line) => line.startsWith('INVITE')).length, 2);
});
