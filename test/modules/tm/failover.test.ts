import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { type ProxyRig, proxyRig, type Sent } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, HOME, sentTo } from './forks.ts';
import { CALLER, header, request, vias } from './messages.ts';

const NAME = 'sip:bob@pbx.example.com';

const watched = defineRoutes({
  uses: ['tm', 'pv'],
  async request({ ksr }) {
    ksr.tm.t_on_failure('over');
    ksr.tm.t_on_reply('seen');
    await ksr.tm.t_relay();
  },
  onreply: { seen: ({ msg, log }) => log.warn(`onreply ${msg.status}`) },
  failure: { over: ({ pv, log }) => log.warn(`failed with ${pv.$T_reply_code.get()}`) },
});

/** A rig that knows three servers of a name and has got a request for it; `sent` is what it put out. */
async function toServers(
  message = request({ uri: NAME }),
  {
    routes = watched,
    tm = {},
    unreachable = [],
    servers = [DESK, CELL, HOME],
  }: {
    readonly routes?: unknown;
    readonly tm?: Readonly<Record<string, unknown>>;
    readonly unreachable?: readonly string[];
    readonly servers?: readonly string[];
  } = {},
): Promise<{ rig: ProxyRig; sent: Sent[]; first: string; order: readonly string[] }> {
  const rig = await proxyRig(routes, {
    modules: { pv: {}, tm },
    lookup: (_host, _family, done) => done(null, servers),
  });
  for (const host of unreachable) rig.edge.unreachable.add(`${host}:5060`);
  await rig.receive(message, CALLER);
  const sent = rig.take();
  return { rig, sent, first: newest(sent), order: servers };
}

/** The last request, other than ACK and CANCEL, among what was sent. */
function newest(sent: readonly Sent[]): string {
  return sent.findLast(({ text }) => /^(INVITE|MESSAGE) /.test(text))?.text ?? '';
}

function branchOf(text: string): string {
  return /;branch=([^;]*)/.exec(vias(text)[0] ?? '')?.[1] ?? '';
}

test('failover: a target that cannot be reached gives way to the next one, with a new branch', async () => {
  const { rig, sent, first } = await toServers(undefined, { unreachable: [DESK] });
  assert.deepEqual(sentTo(sent), [`INVITE ${CELL}`]);
  assert.deepEqual(answersOf(sent), [100]);
  await answers(rig, first, { status: 200, host: CELL });
  assert.deepEqual(answersOf(rig.take()), [200]);
  assert.deepEqual(rig.lines('warn'), ['onreply 200']);
});

test('failover: when no target can be reached the caller gets one 500', async () => {
  const { rig, sent } = await toServers(undefined, { unreachable: [DESK, CELL, HOME] });
  assert.deepEqual(sentTo(sent), []);
  assert.deepEqual(answersOf(sent), [100, 500]);
  assert.deepEqual(rig.lines('warn').slice(-1), ['failed with 503']);
});

test('failover: after a 503 the next target gets the request; the ACK goes to the one that answered', async () => {
  const { rig, first } = await toServers();
  await answers(rig, first, { status: 503, host: DESK });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent).toSorted(), [`ACK ${DESK}`, `INVITE ${CELL}`]);
  assert.deepEqual(answersOf(sent), []);
  const [ack] = sent.filter(({ text }) => text.startsWith('ACK'));
  const second = newest(sent);
  assert.equal(branchOf(ack!.text), branchOf(first));
  assert.notEqual(branchOf(second), branchOf(first));
  assert.equal(header(second, 'CSeq'), header(first, 'CSeq'));
  await answers(rig, first, { status: 503, host: DESK });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${DESK}`], 'a retransmission is acknowledged again');
  await answers(rig, second, { status: 486, host: CELL });
  assert.deepEqual(answersOf(rig.take()), [486]);
  assert.deepEqual(rig.lines('warn'), ['onreply 486', 'failed with 486']);
});

test('failover: a 503 counts also from a target that rang', async () => {
  const { rig, first } = await toServers();
  await answers(rig, first, { status: 180, host: DESK });
  await answers(rig, first, { status: 503, host: DESK });
  assert.ok(sentTo(rig.take()).includes(`INVITE ${CELL}`));
});

test('failover: the 503 of the last target becomes a 500 (16.7 step 6)', async () => {
  const { rig, first, order } = await toServers();
  let invite = first;
  for (const host of order) {
    await answers(rig, invite, { status: 503, host });
    invite = newest(rig.edge.sent);
  }
  assert.deepEqual(answersOf(rig.take()), [500]);
  assert.deepEqual(rig.lines('warn'), ['onreply 503', 'failed with 503']);
});

test('failover: a target that is silent for fr_timer gives way to the next one', async () => {
  const { rig } = await toServers();
  await rig.advance(31_999);
  rig.take();
  await rig.advance(1);
  let sent = rig.take();
  assert.deepEqual(sentTo(sent), [`INVITE ${CELL}`]);
  await rig.advance(32_000);
  sent = rig.take();
  assert.deepEqual(answersOf(sent), []);
  assert.equal(sentTo(sent).at(-1), `INVITE ${HOME}`);
  await rig.advance(32_000);
  assert.deepEqual(answersOf(rig.take()), [408]);
  assert.deepEqual(rig.lines('warn'), ['failed with 408']);
  await rig.receive(request({ method: 'ACK', uri: NAME }), CALLER);
  await rig.advance(64_000);
  assert.equal(rig.clock.pending, 0);
});

test('failover: what rings late at a target given up is cancelled, and its failure is nobody else concern', async () => {
  const { rig, first } = await toServers(undefined, { tm: { fr_timer: 5_000 } });
  await rig.advance(5_000);
  assert.equal(sentTo(rig.take()).at(-1), `INVITE ${CELL}`);
  await answers(rig, first, { status: 180, host: DESK });
  let sent = rig.take();
  assert.deepEqual(sentTo(sent), [`CANCEL ${DESK}`]);
  assert.equal(branchOf(sent[0]!.text), branchOf(first));
  await answers(rig, first, { status: 487, host: DESK });
  sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${DESK}`]);
  assert.deepEqual(answersOf(sent), []);
  assert.deepEqual(rig.lines('warn'), []);
});

test('failover: a 200 that comes late from a target given up is the answer, and the next one is cancelled', async () => {
  const { rig, first } = await toServers(undefined, { tm: { fr_timer: 5_000 } });
  await rig.advance(5_000);
  const second = newest(rig.take());
  await answers(rig, second, { status: 180, host: CELL });
  rig.take();
  await answers(rig, first, { status: 200, host: DESK });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.deepEqual(sentTo(sent), [`CANCEL ${CELL}`]);
  await answers(rig, second, { status: 503, host: CELL });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${CELL}`]);
  await rig.advance(64_000);
  assert.equal(rig.clock.pending, 0);
});

test('failover: a CANCEL goes to the target that rings, in its own transaction', async () => {
  const { rig, first } = await toServers();
  await answers(rig, first, { status: 503, host: DESK });
  const second = newest(rig.take());
  await answers(rig, second, { status: 180, host: CELL });
  await rig.receive(request({ method: 'CANCEL', uri: NAME }), CALLER);
  const [cancel] = rig.take().filter(({ text }) => text.startsWith('CANCEL'));
  assert.equal(cancel?.to, `${CELL}:5060`);
  assert.equal(branchOf(cancel.text), branchOf(second));
});

for (const [what, end] of [
  ['is silent', (rig: ProxyRig) => rig.advance(32_000)],
  ['answers 503', (rig: ProxyRig, first: string) => answers(rig, first, { status: 503, host: DESK })],
] as const) {
  test(`failover: a call that was cancelled is tried nowhere else when its target ${what}`, async () => {
    const { rig, first } = await toServers();
    await rig.receive(request({ method: 'CANCEL', uri: NAME }), CALLER);
    await end(rig, first);
    assert.ok(!sentTo(rig.take()).includes(`INVITE ${CELL}`));
  });
}

for (const status of [200, 603]) {
  test(`failover: a branch whose call another one ended with ${status} is tried nowhere else`, async () => {
    const routes = defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.append_branch('sip:bob@10.0.0.9');
        await ksr.tm.t_relay();
      },
    });
    const { rig, sent } = await toServers(undefined, { routes });
    const [named, numeric] = sent.filter(({ text }) => text.startsWith('INVITE'));
    const byHost = new Map([named!, numeric!].map((one) => [one.to, one.text]));
    await answers(rig, byHost.get('10.0.0.9:5060'), { status, host: '10.0.0.9' });
    await answers(rig, byHost.get(`${DESK}:5060`), { status: 503, host: DESK });
    assert.ok(!sentTo(rig.take()).includes(`INVITE ${CELL}`));
  });
}

for (const status of [302, 404, 486, 500, 504, 603]) {
  test(`failover: a ${status} is an answer, not a failure of the target`, async () => {
    const { rig, first } = await toServers();
    await answers(rig, first, { status, host: DESK });
    const sent = rig.take();
    assert.deepEqual(sentTo(sent), [`ACK ${DESK}`]);
    assert.deepEqual(answersOf(sent), [status]);
  });
}

test('failover: a target that rang too long is cancelled, and no other one tried', async () => {
  const { rig, first } = await toServers();
  await answers(rig, first, { status: 180, host: DESK });
  rig.take();
  await rig.advance(185_000);
  assert.deepEqual(sentTo(rig.take()).slice(0, 1), [`CANCEL ${DESK}`]);
  await answers(rig, first, { status: 487, host: DESK });
  assert.deepEqual(answersOf(rig.take()), [487]);
});

for (const [max, tried] of [
  [0, [DESK]],
  [1, [DESK, CELL]],
  [15, [DESK, CELL, HOME]],
] as const) {
  test(`failover: with max_dns_failovers ${max} ${tried.length} of three targets are tried`, async () => {
    const { rig, sent } = await toServers(undefined, { tm: { fr_timer: 1_000, max_dns_failovers: max } });
    const hosts = new Set(sentTo(sent));
    for (let i = 0; i < 4; i += 1) {
      await rig.advance(1_000);
      for (const to of sentTo(rig.take())) hosts.add(to);
    }
    assert.deepEqual(
      [...hosts],
      tried.map((host) => `INVITE ${host}`),
    );
  });
}

test('failover: another request than INVITE goes on to the next target as long as its sender waits', async () => {
  const message = request({ method: 'MESSAGE', uri: NAME });
  const { rig, sent } = await toServers(message, { tm: { fr_timer: 20_000 } });
  assert.deepEqual(sentTo(sent), [`MESSAGE ${DESK}`]);
  await rig.advance(20_000);
  const second = rig.take();
  assert.equal(sentTo(second).at(-1), `MESSAGE ${CELL}`);
  await rig.advance(20_000);
  assert.deepEqual(
    sentTo(rig.take()).filter((to) => to.endsWith(HOME)),
    [],
    'after 32 s nobody waits (RFC 4320)',
  );
});

test('failover: the next target gets the request as it was relayed, whatever the handler did to it afterwards', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      await ksr.tm.t_relay();
      pv.$ru.set('sip:nobody@10.0.0.99');
    },
  });
  const { rig, first } = await toServers(undefined, { routes });
  await answers(rig, first, { status: 503, host: DESK });
  const second = newest(rig.take());
  assert.match(second, /^INVITE sip:bob@pbx\.example\.com /);
});

test('failover: the next target of a forked branch gets the same share of Max-Breadth and the same hash of loops', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch('sip:bob@10.0.0.9');
      await ksr.tm.t_relay();
    },
  });
  const { rig, sent } = await toServers(undefined, { routes });
  const first = sent.find(({ to }) => to.startsWith(DESK))!.text;
  await answers(rig, first, { status: 503, host: DESK });
  const second = newest(rig.take());
  assert.equal(header(second, 'Max-Breadth'), '30');
  assert.equal(branchOf(second).split('.')[1], branchOf(first).split('.')[1]);
  assert.notEqual(branchOf(second), branchOf(first));
});
