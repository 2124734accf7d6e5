import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answers, answersOf, CELL, DESK, forking, HOME, requestsBy, sentTo } from '../modules/tm/forks.ts';
import { header, request, vias } from '../modules/tm/messages.ts';
import { forwarded, inviting, linesOf, relayAll } from './relaying.ts';

const hosts = [DESK, CELL, HOME];

test('checklist 027: a forking proxy rejects a request that has looped with 482', async () => {
  const { rig, requests } = await forking();
  const looped = requests
    .get(CELL)!
    .replace(/^INVITE \S+/, 'INVITE sip:bob@10.0.0.3')
    .replace(/^Via/m, 'Via: SIP/2.0/UDP 10.0.0.4;branch=z9hG4bKloop\r\nVia');
  await rig.receive(looped, { address: CELL, port: 5060 });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), []);
  assert.match(sent.at(-1)!.text, /^SIP\/2\.0 482 /);
  assert.equal(sent.at(-1)!.to, `${CELL}:5060`);
});

test('checklist 028: a request without Max-Breadth leaves with 60, split among its branches', async () => {
  const { invite } = await inviting();
  assert.deepEqual(linesOf(invite, 'Max-Breadth'), ['Max-Breadth: 60']);
  const { requests } = await forking();
  assert.deepEqual(
    [...requests.values()].map((text) => header(text, 'Max-Breadth')),
    ['20', '20', '20'],
  );
});

for (const [before, after] of [
  ['100', '60'],
  ['61', '60'],
  ['60', '60'],
  ['12', '12'],
] as const) {
  test(`checklist 029: Max-Breadth ${before} leaves as ${after}`, async () => {
    const { sent } = await forking(request({ headers: `Max-Breadth: ${before}\n` }), relayAll);
    assert.deepEqual(linesOf(forwarded(sent).text, 'Max-Breadth'), [`Max-Breadth: ${after}`]);
  });
}

test('checklist 085: timer C is longer than 3 minutes, each 101 to 199 starts it anew, and it ends the ringing with a CANCEL', async () => {
  const { rig, requests } = await forking();
  for (const host of [CELL, HOME]) await answers(rig, requests.get(host), { status: 486, host });
  await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  await rig.advance(180_000);
  await answers(rig, requests.get(DESK), { status: 183, host: DESK });
  rig.take();
  await rig.advance(180_000);
  assert.deepEqual(sentTo(rig.take()), []);
  await rig.advance(5_000);
  assert.deepEqual(sentTo(rig.take()), [`CANCEL ${DESK}`]);
});

test('checklist 085: a branch that gets no response at all counts as 408', async () => {
  const { rig, requests } = await forking();
  for (const host of [CELL, HOME]) await answers(rig, requests.get(host), { status: 500, host });
  rig.take();
  await rig.advance(32_000);
  assert.deepEqual(answersOf(rig.take()), [408]);
});

for (const [number, codes, chosen] of [
  ['088', [486, 404, 603], 603],
  ['088', [603, 404, 486], 603],
  ['089', [500, 404, 500], 404],
  ['089', [404, 500, 503], 404],
] as const) {
  test(`checklist ${number}: of branches with ${codes.join(', ')} the caller gets ${chosen}`, async () => {
    const { rig, requests } = await forking();
    for (const [i, host] of hosts.entries())
      await answers(rig, requests.get(host), { status: codes[i]!, host });
    assert.deepEqual(answersOf(rig.take()), [chosen]);
  });
}

test('checklist 091: a 200 sends a CANCEL to every branch that has a provisional response and no final one', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await answers(rig, requests.get(HOME), { status: 180, host: HOME });
  await answers(rig, requests.get(HOME), { status: 486, host: HOME });
  rig.take();
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.deepEqual([...requestsBy(sent).keys()], [CELL]);
  assert.deepEqual(sentTo(sent), [`CANCEL ${CELL}`]);
});

test('checklist 058: the branches of a fork have Via branches of their own', async () => {
  const { requests } = await forking();
  const branches = [...requests.values()].map((text) => vias(text)[0]);
  assert.equal(new Set(branches).size, hosts.length);
});

test('checklist 073: a 200 from another branch goes on too, after that of the first', async () => {
  const { rig, requests } = await forking();
  for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 180, host });
  rig.take();
  for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 200, host });
  const tags = rig
    .take()
    .filter(({ text }) => text.startsWith('SIP/2.0 200 '))
    .map(({ text, to }) => [header(text, 'To'), to]);
  assert.deepEqual(
    tags,
    [DESK, CELL].map((host) => [`<sip:bob@10.0.0.3>;tag=at-${host}`, '10.0.0.2:5060']),
  );
});
