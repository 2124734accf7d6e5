import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { forwarded, sending } from './relaying.ts';

const OPTIONS = request({ method: 'OPTIONS' });

async function asked() {
  const { rig, sent } = await sending(OPTIONS);
  return { rig, sent: forwarded(sent).text };
}

test('checklist 102: no provisional response goes to the caller of a non-INVITE', async () => {
  const { rig, sent } = await asked();
  for (const status of [100, 180, 199]) await rig.receive(response(sent, status), CALLEE);
  assert.deepEqual(rig.take(), []);
});

test("checklist 102: a 100 is sent when the caller's timer E reaches T2, 3.5 s, and not before", async () => {
  const { rig } = await asked();
  await rig.advance(10_000);
  const replies = rig.take().filter(({ text }) => text.startsWith('SIP/2.0'));
  assert.deepEqual(
    replies.map(({ at, text }) => [at, text.slice(0, 11)]),
    [[3_500, 'SIP/2.0 100']],
  );
});

test('checklist 102: a final response before that makes the 100 needless', async () => {
  const { rig, sent } = await asked();
  await rig.receive(response(sent, 404), CALLEE);
  rig.take();
  await rig.advance(20_000);
  assert.deepEqual(rig.take(), []);
});

test('checklist 106: a retransmission after the final response gets it again for 32 s, and the callee nothing', async () => {
  const { rig, sent } = await asked();
  await rig.receive(response(sent, 200), CALLEE);
  const [first] = rig.take();
  await rig.advance(31_999);
  await rig.receive(OPTIONS, CALLER);
  const again = rig.take();
  assert.deepEqual(
    again.map(({ text, to }) => [text, to]),
    [[first!.text, '10.0.0.2:5060']],
  );
  await rig.advance(1);
  await rig.receive(OPTIONS, CALLER);
  assert.equal(forwarded(rig.take()).to, '10.0.0.3:5060');
});
