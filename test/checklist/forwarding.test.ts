import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { forwarded, inviting, linesOf, sending } from './relaying.ts';

const withMaxForwards = (value: string, method = 'INVITE') =>
  request({ method }).replace('Max-Forwards: 70', `Max-Forwards: ${value}`);

for (const [before, after] of [
  ['70', '69'],
  ['1', '0'],
  ['255', '254'],
] as const) {
  test(`checklist 020: Max-Forwards ${before} leaves as ${after}`, async () => {
    const { sent } = await sending(withMaxForwards(before));
    assert.deepEqual(linesOf(forwarded(sent).text, 'Max-Forwards'), [`Max-Forwards: ${after}`]);
  });
}

test('checklist 021: a request without Max-Forwards leaves with 70', async () => {
  const { sent } = await sending(request().replace('Max-Forwards: 70\n', ''));
  assert.deepEqual(linesOf(forwarded(sent).text, 'Max-Forwards'), ['Max-Forwards: 70']);
});

test('checklist 022: an INVITE with Max-Forwards 0 gets 483 and goes nowhere', async () => {
  const { rig, sent } = await sending(withMaxForwards('0'));
  assert.match(sent.at(-1)!.text, /^SIP\/2\.0 483 /);
  await rig.receive(
    request({ method: 'ACK', toTag: header(sent.at(-1)!.text, 'To').split('tag=')[1]! }),
    CALLER,
  );
  await rig.advance(40_000);
  const all = [...sent, ...rig.take()];
  assert.ok(all.every(({ to, text }) => to === '10.0.0.2:5060' && text.startsWith('SIP/2.0')));
});

test('checklist 023: an OPTIONS with Max-Forwards 0 gets 483 from a proxy that does not answer it itself', async () => {
  const { sent } = await sending(withMaxForwards('0', 'OPTIONS'));
  assert.deepEqual(
    sent.map(({ text, to }) => [text.slice(0, 11), to]),
    [['SIP/2.0 483', '10.0.0.2:5060']],
  );
});

test('checklist 026: the CANCEL and the ACK of a failure have the branch of their INVITE at the next hop', async () => {
  const { rig, invite } = await inviting();
  const branch = vias(invite)[0];
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  const cancel = forwarded(rig.take());
  assert.match(cancel.text, /^CANCEL /);
  assert.deepEqual(vias(cancel.text), [branch]);
  await rig.receive(response(invite, 487), CALLEE);
  const ack = forwarded(rig.take());
  assert.match(ack.text, /^ACK /);
  assert.deepEqual(vias(ack.text), [branch]);
});

test('checklist 031: an extension in Proxy-Require gets 420 and is named in Unsupported', async () => {
  const { sent } = await sending(request({ headers: 'Proxy-Require: foo\n' }));
  assert.equal(sent.length, 1);
  assert.match(sent[0]!.text, /^SIP\/2\.0 420 Bad Extension\r\n/);
  assert.deepEqual(linesOf(sent[0]!.text, 'Unsupported'), ['Unsupported: foo']);
});

test('checklist 032: Require is none of the proxy: the request goes on with it', async () => {
  const { sent } = await sending(request({ headers: 'Require: foo, 100rel\n' }));
  assert.deepEqual(linesOf(forwarded(sent).text, 'Require'), ['Require: foo, 100rel']);
});
