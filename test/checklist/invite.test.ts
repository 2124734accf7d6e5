import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarded, inviting, linesOf } from './relaying.ts';

const ACK = request({ method: 'ACK', toTag: 'bob' });

test('checklist 070: an INVITE gets 100 within 200 ms, without a To tag, though its handler is slow', async () => {
  const { opened } = gate();
  const rig = await proxyRig(defineRoutes({ uses: [], request: () => opened }));
  await rig.receive(request(), CALLER);
  await rig.advance(200);
  const [trying, ...more] = rig.take();
  assert.deepEqual(more, []);
  assert.match(trying!.text, /^SIP\/2\.0 100 /);
  assert.ok(trying!.at <= 200);
  assert.equal(header(trying!.text, 'To'), '<sip:bob@10.0.0.3>');
});

test('checklist 070: none when a final response went out before', async () => {
  const rig = await proxyRig(
    defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_reply(486, 'Busy Here') }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(
    request({ method: 'ACK', toTag: header(rig.take()[0]!.text, 'To').split('=')[1]! }),
    CALLER,
  );
  await rig.advance(1_000);
  assert.deepEqual(rig.take(), []);
});

for (const status of [180, 183]) {
  test(`checklist 072: a ${status} goes on at once with the To tag of the callee`, async () => {
    const { rig, invite } = await inviting();
    await rig.receive(response(invite, status), CALLEE);
    const [sent, ...more] = rig.take();
    assert.deepEqual(more, []);
    assert.ok(sent!.text.startsWith(`SIP/2.0 ${status} `));
    assert.deepEqual([sent!.at, sent!.to], [0, '10.0.0.2:5060']);
    assert.equal(header(sent!.text, 'To'), '<sip:bob@10.0.0.3>;tag=bob');
  });
}

test('checklist 073: a 200 goes on at once, and so does each further one', async () => {
  const { rig, invite } = await inviting();
  for (const toTag of ['bob', 'bob', 'other']) await rig.receive(response(invite, 200, { toTag }), CALLEE);
  assert.deepEqual(
    rig.take().map(({ at, text }) => [at, header(text, 'To')]),
    ['bob', 'bob', 'other'].map((tag) => [0, `<sip:bob@10.0.0.3>;tag=${tag}`]),
  );
});

test('checklist 076: a 486 is acknowledged hop by hop: same branch, Request-URI and Route, its To tag, one Via', async () => {
  const uri = 'sip:bob@10.0.0.3;x=1';
  const { rig, invite } = await inviting(request({ uri, headers: 'Route: <sip:10.0.0.7;lr>\n' }));
  await rig.receive(response(invite, 486, { toTag: 'desk' }), CALLEE);
  const { text, to } = forwarded(rig.take());
  assert.ok(text.startsWith(`ACK ${uri} SIP/2.0\r\n`));
  assert.deepEqual(vias(text), [vias(invite)[0]]);
  assert.deepEqual(linesOf(text, 'Route'), ['Route: <sip:10.0.0.7;lr>']);
  assert.equal(header(text, 'To'), '<sip:bob@10.0.0.3>;tag=desk');
  assert.deepEqual([header(text, 'CSeq'), header(text, 'Call-ID')], ['1 ACK', 'call-1']);
  assert.equal(to, '10.0.0.7:5060');
});

test("checklist 077: the caller's ACK of a 486 ends at the proxy, and ends its retransmissions", async () => {
  const { rig, invite } = await inviting();
  await rig.receive(response(invite, 486), CALLEE);
  rig.take();
  await rig.receive(ACK, CALLER);
  await rig.receive(ACK, CALLER);
  await rig.advance(60_000);
  assert.deepEqual(rig.take(), []);
});

test('checklist 078: a 486 that is not acknowledged is sent again at T1, 2*T1 up to T2, and no more after 64*T1', async () => {
  const { rig, invite } = await inviting();
  await rig.receive(response(invite, 486), CALLEE);
  rig.take();
  await rig.advance(100_000);
  const sent = rig.take();
  assert.deepEqual(
    sent.map(({ at }) => at / 1_000),
    [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5],
  );
  assert.ok(sent.every(({ text, to }) => text.startsWith('SIP/2.0 486') && to === '10.0.0.2:5060'));
});

for (const number of ['080', '093'] as const) {
  test(`checklist ${number}: a callee that never answers: seven INVITEs in 31.5 s, then 408 at 32 s`, async () => {
    const { rig, sent } = await inviting();
    await rig.advance(100_000);
    const later = rig.take();
    const times = [...sent, ...later]
      .filter(({ text }) => text.startsWith('INVITE'))
      .map(({ at }) => at / 1_000);
    assert.deepEqual(times, [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    const final = later.find(({ text }) => text.startsWith('SIP/2.0'));
    assert.match(final!.text, /^SIP\/2\.0 408 /);
    assert.equal(final!.at, 32_000);
  });
}

test('checklist 081: a provisional response ends the retransmission', async () => {
  const { rig, invite } = await inviting();
  await rig.advance(600);
  assert.equal(rig.take().length, 1);
  await rig.receive(response(invite, 100), CALLEE);
  await rig.advance(60_000);
  assert.deepEqual(rig.take(), []);
});

test('checklist 082: a retransmitted INVITE gets the last provisional response again, and the callee nothing', async () => {
  const { rig, invite } = await inviting();
  for (const status of [180, 183]) await rig.receive(response(invite, status), CALLEE);
  rig.take();
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 183 Any -> 10.0.0.2:5060']);
});

test('checklist 083: the same branch from another sent-by is a new transaction, in whatever port or host', async () => {
  const { rig } = await inviting();
  for (const sentBy of ['10.0.0.2:5062', '10.0.0.8', 'alice.example.org']) {
    await rig.receive(request({ sentBy, callId: `call-${sentBy}` }), CALLER);
    assert.equal(forwarded(rig.take()).to, '10.0.0.3:5060', sentBy);
  }
  for (const sentBy of ['10.0.0.2', '10.0.0.2:5060', 'ALICE.example.org']) {
    await rig.receive(request({ sentBy }), CALLER);
    assert.ok(
      rig.take().every(({ text }) => text.startsWith('SIP/2.0 100')),
      sentBy,
    );
  }
});

test('checklist 083: an ACK matches its INVITE, a CANCEL with the same branch is a transaction of its own', async () => {
  const { rig, invite } = await inviting();
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await rig.receive(response(invite, 487), CALLEE);
  rig.take();
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
  await rig.receive(ACK, CALLER);
  await rig.advance(400);
  assert.ok(!rig.starts().some((line) => line.startsWith('ACK')));
});

test('checklist 085: timer C is above 3 minutes; each 101 to 199 sets it anew; when it fires the callee gets CANCEL', async () => {
  const { rig, invite } = await inviting();
  for (const status of [180, 183, 199]) {
    await rig.receive(response(invite, status), CALLEE);
    rig.take();
    await rig.advance(180_000);
    assert.deepEqual(rig.take(), [], `still waiting 3 minutes after ${status}`);
  }
  await rig.receive(response(invite, 100), CALLEE);
  await rig.advance(5_000);
  assert.match(forwarded(rig.take()).text, /^CANCEL /);
});

test('checklist 085: a callee that answers neither INVITE nor CANCEL: the caller gets 408', async () => {
  const { rig, invite } = await inviting();
  await rig.receive(response(invite, 180), CALLEE);
  await rig.advance(185_000);
  rig.take();
  await rig.advance(32_000);
  const finals = rig.take().filter(({ text }) => text.startsWith('SIP/2.0'));
  assert.deepEqual(
    finals.map(({ text }) => text.slice(0, 11)),
    ['SIP/2.0 408'],
  );
});

test('checklist 094: a 3xx goes on, Contacts and all', async () => {
  const { rig, invite } = await inviting();
  const moved = response(invite, 302).replace(
    'Content-Length',
    'Contact: <sip:bob@10.0.0.4>\nContent-Length',
  );
  await rig.receive(moved, CALLEE);
  const final = rig.take().find(({ text }) => text.startsWith('SIP/2.0 302'));
  assert.equal(final!.to, '10.0.0.2:5060');
  assert.deepEqual(linesOf(final!.text, 'Contact'), ['Contact: <sip:bob@10.0.0.4>']);
});
