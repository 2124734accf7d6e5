import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { gate } from '../../gate.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, HOME, requestsBy, sentTo, toAll } from './forks.ts';
import { CALLER, header, request, vias } from './messages.ts';

const hosts = [DESK, CELL, HOME];
const COMPLETED = 'SIP;cause=200;text="Call completed elsewhere"';

test('fork: t_relay sends to the Request-URI and all destinations appended, each with its own branch', async () => {
  const { requests, answers: replies } = await forking();
  assert.deepEqual([...requests.keys()], hosts);
  assert.deepEqual(replies, [100]);
  for (const [host, text] of requests) assert.ok(text.startsWith(`INVITE sip:bob@${host} SIP/2.0\r\n`));
  assert.equal(new Set([...requests.values()].map((text) => vias(text)[0])).size, 3);
});

test('fork: provisional responses of all branches go on; a 200 ends the others with a CANCEL that says why', async () => {
  const { rig, requests } = await forking();
  for (const host of hosts) await answers(rig, requests.get(host), { status: 180, host });
  assert.deepEqual(answersOf(rig.take()), [180, 180, 180]);
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.deepEqual(sentTo(sent), [`CANCEL ${DESK}`, `CANCEL ${HOME}`]);
  const cancels = requestsBy(sent);
  assert.equal(header(cancels.get(HOME)!, 'Reason'), COMPLETED);
  assert.deepEqual(vias(cancels.get(HOME)!), [vias(requests.get(HOME)!)[0]]);
});

test('fork: a loser that said nothing yet gets its CANCEL when it does, and its ringing does not go on', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  assert.deepEqual(sentTo(rig.take()), []);
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`CANCEL ${CELL}`]);
  assert.deepEqual(answersOf(sent), []);
  assert.equal(header(requestsBy(sent).get(CELL)!, 'Reason'), COMPLETED);
});

test('fork: the 487 of a loser is acknowledged and goes no further', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  rig.take();
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${CELL}`]);
  assert.deepEqual(answersOf(sent), []);
});

test('fork: a loser whose 200 crosses its CANCEL: the caller gets both', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  rig.take();
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.match(header(sent[0]!.text, 'To'), /tag=at-10\.0\.0\.4$/);
});

test('fork: a 200 goes on after the server transaction has ended (16.7 step 9)', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  await rig.advance(31_990);
  rig.take();
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await rig.advance(20);
  rig.take();
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  assert.deepEqual(answersOf(rig.take()), [200]);
});

test('fork: a 200 goes on after the proxy itself has answered otherwise (16.7 step 5)', async () => {
  const { opened, open } = gate();
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      await ksr.tm.t_relay();
      await opened;
      ksr.tm.t_reply(480, 'Too Late');
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  rig.take();
  open();
  await rig.advance(0);
  assert.deepEqual(answersOf(rig.take()), [480]);
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  assert.deepEqual(answersOf(rig.take()), [200]);
});

test('fork: nothing goes on before all branches have failed; a silent one counts as 408', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(DESK), { status: 486, host: DESK });
  await answers(rig, requests.get(CELL), { status: 503, host: CELL });
  assert.deepEqual(answersOf(rig.take()), []);
  await rig.advance(32_000);
  assert.deepEqual(answersOf(rig.take()).slice(0, 1), [486]);
});

test('fork: a 6xx cancels the rest at once and is the answer when they are done, though they were better', async () => {
  const { rig, requests } = await forking();
  for (const host of hosts) await answers(rig, requests.get(host), { status: 180, host });
  rig.take();
  await answers(rig, requests.get(CELL), { status: 603, host: CELL });
  let sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${CELL}`, `CANCEL ${DESK}`, `CANCEL ${HOME}`]);
  assert.equal(header(requestsBy(sent.slice(1)).get(HOME)!, 'Reason'), 'SIP;cause=603');
  await answers(rig, requests.get(DESK), { status: 401, host: DESK });
  await answers(rig, requests.get(HOME), { status: 487, host: HOME });
  sent = rig.take();
  assert.deepEqual(answersOf(sent), [603]);
});

test('fork: a 200 that crosses the CANCEL of a 6xx wins', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(HOME), { status: 180, host: HOME });
  await answers(rig, requests.get(CELL), { status: 603, host: CELL });
  await answers(rig, requests.get(HOME), { status: 200, host: HOME });
  await answers(rig, requests.get(DESK), { status: 486, host: DESK });
  assert.deepEqual(answersOf(rig.take()), [180, 200]);
});

for (const [codes, best] of [
  [[486, 404, 302], 302],
  [[500, 404, 503], 404],
  [[404, 407, 486], 407],
  [[404, 484, 480], 484],
  [[500, 503, 501], 500],
  [[503, 500, 503], 500],
  [[503, 503, 503], 500],
  [[600, 302, 404], 600],
] as const) {
  test(`fork: of ${codes.join(', ')} the caller gets ${best}`, async () => {
    const { rig, requests } = await forking();
    for (const [i, host] of hosts.entries())
      await answers(rig, requests.get(host), { status: codes[i]!, host });
    assert.deepEqual(answersOf(rig.take()), [best]);
  });
}

test('fork: the challenges of all branches are in the one that goes on, as they came (16.7 step 7)', async () => {
  const { rig, requests } = await forking();
  const desk = 'WWW-Authenticate: Digest realm="desk", nonce="1"';
  const cell = 'Proxy-Authenticate:  Digest realm="cell",\r\n nonce="2"';
  await answers(rig, requests.get(DESK), { status: 401, host: DESK, headers: `${desk}\r\n` });
  await answers(rig, requests.get(CELL), { status: 407, host: CELL, headers: `${cell}\r\n` });
  await answers(rig, requests.get(HOME), {
    status: 486,
    host: HOME,
    headers: 'WWW-Authenticate: Digest x\r\n',
  });
  const answer = rig.take().find(({ text }) => text.startsWith('SIP/2.0'))!.text;
  assert.match(answer, /^SIP\/2\.0 401 /);
  assert.ok(answer.includes(`\r\n${desk}\r\n`));
  assert.ok(answer.includes(`\r\n${cell}\r\n`));
  assert.equal(answer.match(/Authenticate/g)?.length, 2);
});

test('fork: a CANCEL from the caller goes to every branch that rings, and one 487 comes back', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  await answers(rig, requests.get(CELL), { status: 100, host: CELL });
  rig.take();
  await rig.receive(request({ method: 'CANCEL', headers: 'Reason: Q.850;cause=16\n' }), CALLER);
  let sent = rig.take();
  assert.deepEqual(sentTo(sent), [`CANCEL ${DESK}`, `CANCEL ${CELL}`]);
  await answers(rig, requests.get(HOME), { status: 180, host: HOME });
  sent = rig.take();
  assert.deepEqual(sentTo(sent), [`CANCEL ${HOME}`]);
  assert.equal(header(requestsBy(sent).get(HOME)!, 'Reason'), 'Q.850;cause=16');
  for (const host of hosts) await answers(rig, requests.get(host), { status: 487, host });
  assert.deepEqual(
    answersOf(rig.take()).filter((code) => code >= 200),
    [487],
  );
});

test('fork: a branch that cannot be sent counts as 503, the others go on (16.9)', async () => {
  const rig = await proxyRig(toAll);
  rig.edge.unreachable.add(`${CELL}:5060`);
  await rig.receive(request(), CALLER);
  const requests = requestsBy(rig.take());
  assert.deepEqual([...requests.keys()], [DESK, HOME]);
  await answers(rig, requests.get(DESK), { status: 500, host: DESK });
  await answers(rig, requests.get(HOME), { status: 502, host: HOME });
  assert.deepEqual(answersOf(rig.take()), [500]);
});

test('fork: of other requests exactly one final response goes back', async () => {
  const { rig, requests } = await forking(request({ method: 'MESSAGE' }));
  for (const host of hosts) await answers(rig, requests.get(host), { status: 200, host });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.deepEqual(sentTo(sent), []);
});

test('fork: when all is over nothing of it is left', async () => {
  const { rig, requests } = await forking();
  for (const host of hosts) await answers(rig, requests.get(host), { status: 180, host });
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  await rig.advance(200_000);
  assert.equal(rig.clock.pending, 0);
  rig.take();
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  assert.deepEqual(rig.take(), []);
});

test('fork: no CANCEL goes out for a request that is no INVITE (9.1), and none of its branches tries a further target', async () => {
  for (const method of ['OPTIONS', 'MESSAGE']) {
    const { rig, requests } = await forking(request({ method }));
    await answers(rig, requests.get(CELL), { status: 100, host: CELL });
    await answers(rig, requests.get(DESK), { status: 200, host: DESK });
    await answers(rig, requests.get(HOME), { status: 100, host: HOME });
    await answers(rig, requests.get(CELL), { status: 503, host: CELL });
    const sent = rig.take();
    assert.deepEqual(answersOf(sent), [200]);
    assert.deepEqual(sentTo(sent), []);
  }
});
