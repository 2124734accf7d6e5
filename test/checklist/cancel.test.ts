import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { inviting, sending } from './relaying.ts';

const CANCEL = request({ method: 'CANCEL' });

async function ringing() {
  const { rig, invite } = await inviting();
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  return { rig, invite };
}

test('checklist 095: a CANCEL gets 200 at once with a To tag of the proxy, and the pending branch a CANCEL', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(CANCEL, CALLER);
  const [ok, cancel, ...more] = rig.take();
  assert.deepEqual(more, []);
  assert.match(ok!.text, /^SIP\/2\.0 200 /);
  assert.equal(ok!.to, '10.0.0.2:5060');
  assert.match(header(ok!.text, 'To'), /;tag=(?!bob)\w+$/);
  assert.match(cancel!.text, /^CANCEL sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  for (const name of ['From', 'To', 'Call-ID'])
    assert.equal(header(cancel!.text, name), header(invite, name));
  assert.equal(header(cancel!.text, 'CSeq'), '1 CANCEL');
});

test('checklist 098: the 487 of the callee goes to the caller', async () => {
  const { rig, invite } = await ringing();
  await rig.receive(CANCEL, CALLER);
  rig.take();
  await rig.receive(response(invite, 487, { reason: 'Request Terminated' }), CALLEE);
  assert.equal(rig.starts().at(-1), 'SIP/2.0 487 Request Terminated -> 10.0.0.2:5060');
});

test('checklist 098: a callee that never answers the CANCEL: the caller gets 487 after 64*T1', async () => {
  const { rig } = await ringing();
  await rig.receive(CANCEL, CALLER);
  await rig.advance(31_999);
  assert.ok(!rig.starts().some((line) => line.startsWith('SIP/2.0 487')));
  await rig.advance(1);
  assert.equal(rig.starts().at(-1), 'SIP/2.0 487 Request Terminated -> 10.0.0.2:5060');
});

test('checklist 099: a CANCEL that matches no INVITE goes on without state', async () => {
  const { rig, sent } = await sending(CANCEL);
  await rig.receive(CANCEL, CALLER);
  const both = [...sent, ...rig.take()];
  assert.equal(both.length, 2);
  assert.match(both[0]!.text, /^CANCEL sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  assert.equal(vias(both[0]!.text).length, 2);
  assert.equal(both[1]!.text, both[0]!.text);
});

test('checklist 099: the answer to such a CANCEL goes back; other responses to requests without state do not', async () => {
  const { rig, sent } = await sending(CANCEL);
  await rig.receive(response(sent[0]!.text, 481), CALLEE);
  const [answer, ...more] = rig.take();
  assert.deepEqual(more, []);
  assert.match(answer!.text, /^SIP\/2\.0 481 /);
  assert.equal(answer!.to, '10.0.0.2:5060');
  assert.deepEqual(vias(answer!.text), vias(CANCEL.replaceAll('\n', '\r\n')));
  await rig.receive(response(sent[0]!.text, 200, { method: 'INVITE' }), CALLEE);
  assert.deepEqual(rig.take(), []);
});

for (const status of [200, 486]) {
  test(`checklist 100: a CANCEL after a final ${status} gets 200 and changes nothing`, async () => {
    const { rig, invite } = await ringing();
    await rig.receive(response(invite, status), CALLEE);
    rig.take();
    await rig.receive(CANCEL, CALLER);
    assert.deepEqual(rig.starts(), ['SIP/2.0 200 canceling -> 10.0.0.2:5060']);
  });
}
