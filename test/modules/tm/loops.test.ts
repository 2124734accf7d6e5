import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { loopPart } from '../../../modules/tm/loop-detection.ts';
import type { Sent } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, HOME, requestsBy, sentTo } from './forks.ts';
import { request as parsedRequest } from '../fake-core.ts';
import { CALLER, header, request, vias } from './messages.ts';

/** What a callee that sends a request back to the proxy sends: the request with a Via of its own. */
function sentBack(text: string, { uri = '' }: { readonly uri?: string } = {}): string {
  const looped = text.replace(/^Via/m, 'Via: SIP/2.0/UDP 10.0.0.4;branch=z9hG4bKback\r\nVia');
  return uri === '' ? looped : looped.replace(/^(\w+) \S+/, `$1 ${uri}`);
}

function codesTo(sent: readonly Sent[], host: string): number[] {
  return sent
    .filter(({ text, to }) => text.startsWith('SIP/2.0') && to === `${host}:5060`)
    .map(({ text }) => Number(text.slice(8, 11)));
}

const callee = { address: CELL, port: 5060 };
const ORIGINAL = 'sip:bob@10.0.0.3';

test('loop: a forked request that comes back unchanged gets 482, and is not forked again (RFC 5393 4.2)', async () => {
  const { rig, requests } = await forking();
  await rig.receive(sentBack(requests.get(CELL)!, { uri: ORIGINAL }), callee);
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), []);
  assert.deepEqual(codesTo(sent, CELL), [100, 482]);
});

test('loop: a request that comes back for another user is a spiral and goes on', async () => {
  const { rig, requests } = await forking();
  await rig.receive(sentBack(requests.get(CELL)!, { uri: 'sip:carol@10.0.0.3' }), callee);
  assert.deepEqual(sentTo(rig.take()), [`INVITE ${DESK}`, `INVITE ${CELL}`, `INVITE ${HOME}`]);
});

for (const [what, change] of [
  ['Route', (text: string) => text.replace(/^Max-Forwards/m, 'Route: <sip:10.0.0.1;lr>\r\nMax-Forwards')],
  ['To tag', (text: string) => text.replace(/^(To: .*)$/m, '$1;tag=other')],
  ['CSeq', (text: string) => text.replace('CSeq: 1 ', 'CSeq: 2 ')],
  [
    'Proxy-Authorization',
    (text: string) => text.replace(/^Max-Forwards/m, 'Proxy-Authorization: Digest x=1\r\nMax-Forwards'),
  ],
] as const) {
  test(`loop: another ${what} makes it a spiral`, async () => {
    const { rig, requests } = await forking();
    await rig.receive(change(sentBack(requests.get(CELL)!, { uri: ORIGINAL })), callee);
    assert.equal(sentTo(rig.take()).length, 3);
  });
}

test('loop: malformed Vias of others do not hide it', async () => {
  const { rig, requests } = await forking();
  const looped = sentBack(requests.get(CELL)!, { uri: ORIGINAL }).replace(
    'Via: SIP/2.0/UDP 10.0.0.2',
    'Via: SIP/2.0/UDP [;;"\r\nVia: SIP/2.0/UDP 10.0.0.2',
  );
  await rig.receive(looped, callee);
  assert.deepEqual(codesTo(rig.take(), CELL), [100, 482]);
});

/** Sends a request on to one place. */
const toOne = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

test('loop: one that goes to a single place comes by three times unchanged, and gets 482 at the fourth', async () => {
  const { rig, requests } = await forking(request(), toOne);
  let out = requests.get(DESK)!;
  assert.match(vias(out)[0]!, /;branch=z9hG4bK[0-9a-z]+$/);
  for (let passes = 2; passes <= 3; passes += 1) {
    await rig.receive(sentBack(out).replace('=z9hG4bKback', `=z9hG4bKback${passes}`), callee);
    const sent = rig.take();
    assert.deepEqual(sentTo(sent), [`INVITE ${DESK}`]);
    out = requestsBy(sent).get(DESK)!;
  }
  await rig.receive(sentBack(out), callee);
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), []);
  assert.deepEqual(codesTo(sent, CELL), [100, 482]);
});

test('loop: one whose Request-URI is another each time goes on', async () => {
  const { rig, requests } = await forking(request(), toOne);
  let out = requests.get(DESK)!;
  for (let passes = 2; passes <= 6; passes += 1) {
    const uri = `sip:bob${passes}@10.0.0.3`;
    await rig.receive(sentBack(out, { uri }).replace('=z9hG4bKback', `=z9hG4bKback${passes}`), callee);
    out = requestsBy(rig.take()).get(DESK)!;
    assert.ok(out.startsWith(`INVITE ${uri} `));
  }
});

test('loop: it is found when a failure handler is about to try a second place', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr }) {
      ksr.tm.t_on_failure('next');
      await ksr.tm.t_relay();
    },
    failure: {
      async next({ ksr, pv }) {
        pv.$ru.set(`sip:bob@${CELL}`);
        await ksr.tm.t_relay();
      },
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 486, host: DESK });
  const [cell] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
  await rig.receive(sentBack(cell!.text, { uri: ORIGINAL }), callee);
  const [again] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
  await answers(rig, again?.text, { status: 486, host: DESK });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${DESK}`]);
  assert.deepEqual(codesTo(sent, CELL), [482]);
});

test('loop: the CANCEL of a forked branch and the ACK of its failure have its branch parameter', async () => {
  const { rig, requests } = await forking();
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  const cancel = requestsBy(rig.take()).get(CELL)!;
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  const ack = requestsBy(rig.take()).get(CELL)!;
  const [branch] = vias(requests.get(CELL)!);
  assert.deepEqual([vias(cancel), vias(ack)], [[branch], [branch]]);
});

function breadths(requests: ReadonlyMap<string, string>): string[] {
  return [...requests.values()].map((text) => header(text, 'Max-Breadth'));
}

for (const [given, shares] of [
  ['', ['20', '20', '20']],
  ['60', ['20', '20', '20']],
  ['61', ['20', '20', '20']],
  ['100', ['20', '20', '20']],
  ['5', ['2', '2', '1']],
  ['3', ['1', '1', '1']],
  ['none', ['20', '20', '20']],
] as const) {
  test(`Max-Breadth ${given === '' ? 'absent' : given}: three branches share it as ${shares.join(', ')}`, async () => {
    const headers = given === '' ? '' : `Max-Breadth: ${given}\n`;
    const { requests } = await forking(request({ headers }));
    assert.deepEqual(breadths(requests), shares);
    for (const text of requests.values()) assert.equal(text.match(/Max-Breadth/gi)?.length, 1);
  });
}

test('Max-Breadth 2: three branches are too many: 440, nothing is sent', async () => {
  const { sent } = await forking(request({ headers: 'Max-Breadth: 2\n' }));
  assert.deepEqual(sentTo(sent), []);
  assert.match(sent.at(-1)!.text, /^SIP\/2\.0 440 Max-Breadth Exceeded\r\n/);
});

test('Max-Breadth 0: no branch at all: 440', async () => {
  const routes = defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay() });
  const { sent } = await forking(request({ headers: 'Max-Breadth: 0\n' }), routes);
  assert.deepEqual(sentTo(sent), []);
  assert.deepEqual(answersOf(sent), [100, 440]);
});

test('Max-Breadth: a final response gives it back to the next branch (RFC 5393 5.3.3.1)', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_failure('next');
      await ksr.tm.t_relay();
    },
    failure: {
      async next({ ksr, pv }) {
        pv.$ru.set(`sip:bob@${HOME}`);
        await ksr.tm.t_relay();
      },
    },
  });
  const { rig, requests } = await forking(request({ headers: 'Max-Breadth: 2\n' }), routes);
  assert.deepEqual(breadths(requests), ['1', '1']);
  for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 486, host });
  const [home] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
  assert.equal(header(home!.text, 'Max-Breadth'), '2');
});

test('Max-Breadth: branches under way keep theirs from a second t_relay', async () => {
  const results: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      results.push(await ksr.tm.t_relay());
      pv.$ru.set(`sip:bob@${CELL}`);
      results.push(await ksr.tm.t_relay());
    },
  });
  const { sent } = await forking(request({ headers: 'Max-Breadth: 1\n' }), routes);
  assert.deepEqual(results, [true, false]);
  assert.deepEqual(answersOf(sent), [100, 440]);
});

test('loop: the part differs for another proxy, and for each request; the method does not count', () => {
  const invite = parsedRequest({});
  const part = loopPart('udp:10.0.0.1:5060', invite);
  assert.match(part, /^\.[0-9a-f]{16}$/);
  assert.equal(loopPart('udp:10.0.0.1:5060', parsedRequest({ method: 'CANCEL' })), part);
  assert.equal(loopPart('udp:10.0.0.1:5060', parsedRequest({ branch: 'z9hG4bKother' })), part);
  assert.notEqual(loopPart('udp:10.0.0.2:5060', invite), part);
  assert.notEqual(loopPart('udp:10.0.0.1:5060', parsedRequest({ uri: 'sip:carol@example.com' })), part);
});
