import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { gate } from '../../gate.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, requestsBy, sentTo } from './forks.ts';
import { CALLER, request } from './messages.ts';

/** Forks to the desk and to a name; does not wait for t_relay when told so. */
function toName(waits: boolean, failure: (log: string) => void = () => {}) {
  return defineRoutes({
    uses: ['tm', 'pv'],
    async request({ msg, ksr }) {
      if (msg.method === 'INVITE') {
        ksr.tm.append_branch('sip:bob@cell.example.com');
        ksr.tm.t_on_failure('over');
      }
      const sent = ksr.tm.t_relay();
      if (waits) await sent;
    },
    failure: { over: ({ pv }) => failure(`failed with ${pv.$T_reply_code.get()}`) },
  });
}

/** A rig whose second destination is found when the test says so. */
async function resolving(waits: boolean, failure?: (log: string) => void) {
  const found: ((error: Error | null, address: string) => void)[] = [];
  const rig = await proxyRig(toName(waits, failure), {
    lookup: (_host, _family, done) => found.push((error, address) => done(error, address)),
  });
  await rig.receive(request(), CALLER);
  const requests = requestsBy(rig.take());
  assert.deepEqual([...requests.keys()], [DESK]);
  return {
    rig,
    requests,
    resolved: async (address: string | null): Promise<void> => {
      assert.equal(found.length, 1);
      if (address === null) found[0]!(new Error('no such name'), '');
      else found[0]!(null, address);
      await rig.advance(0);
    },
  };
}

for (const waits of [true, false]) {
  const how = waits ? 'awaited' : 'not awaited';

  test(`races, t_relay ${how}: a branch whose name takes long does not hold up the others`, async () => {
    const { rig, requests, resolved } = await resolving(waits);
    await answers(rig, requests.get(DESK), { status: 180, host: DESK });
    assert.deepEqual(answersOf(rig.take()), [180]);
    await resolved(CELL);
    assert.deepEqual(sentTo(rig.take()), [`INVITE ${CELL}`]);
  });

  test(`races, t_relay ${how}: a 486 while another name is looked up waits for that branch`, async () => {
    const { rig, requests, resolved } = await resolving(waits);
    await answers(rig, requests.get(DESK), { status: 486, host: DESK });
    assert.deepEqual(answersOf(rig.take()), []);
    await resolved(CELL);
    const [cell] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
    await answers(rig, cell?.text, { status: 200, host: CELL });
    assert.deepEqual(answersOf(rig.take()), [200]);
  });

  test(`races, t_relay ${how}: a 486 and then a name that does not exist: the failure handler, and 486`, async () => {
    const events: string[] = [];
    const { rig, requests, resolved } = await resolving(waits, (event) => events.push(event));
    await answers(rig, requests.get(DESK), { status: 486, host: DESK });
    rig.take();
    await resolved(null);
    assert.deepEqual(answersOf(rig.take()), [486]);
    assert.deepEqual(events, ['failed with 486']);
  });

  for (const status of [200, 603]) {
    test(`races, t_relay ${how}: a ${status} while another name is looked up: no further branch is made`, async () => {
      const { rig, requests, resolved } = await resolving(waits);
      await answers(rig, requests.get(DESK), { status, host: DESK });
      await resolved(CELL);
      const sent = rig.take();
      assert.ok(!sentTo(sent).includes(`INVITE ${CELL}`));
      assert.deepEqual(answersOf(sent), [status]);
    });
  }

  test(`races, t_relay ${how}: a CANCEL while a name is looked up: no further branch, and 487`, async () => {
    const { rig, requests, resolved } = await resolving(waits);
    await answers(rig, requests.get(DESK), { status: 180, host: DESK });
    await rig.receive(request({ method: 'CANCEL' }), CALLER);
    await resolved(CELL);
    assert.deepEqual(sentTo(rig.take()), [`CANCEL ${DESK}`]);
    await answers(rig, requests.get(DESK), { status: 487, host: DESK });
    assert.deepEqual(answersOf(rig.take()), [487]);
  });
}

test('races: no name of any branch exists: 478', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr, log }) {
      ksr.tm.append_branch('sip:bob@cell.example.com');
      log.warn(String(await ksr.tm.t_relay()));
    },
  });
  const { rig, answers: replies } = await forking(request({ uri: 'sip:bob@example.org' }), routes);
  assert.deepEqual(replies, [100, 478]);
  assert.deepEqual(rig.lines('warn'), ['false']);
});

test('races: a 200 that an onreply handler has in hand is the answer though the other branches fail meanwhile', async () => {
  const { opened, open } = gate();
  const failed: string[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_set_fr(0, 5_000);
      ksr.tm.t_on_reply('slow');
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    onreply: {
      async slow({ msg }) {
        if (msg.status === 200) await opened;
      },
    },
    failure: { over: () => failed.push('failure handler') },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  await rig.advance(5_000);
  assert.deepEqual(answersOf(rig.take()), []);
  open();
  await rig.advance(0);
  assert.deepEqual(answersOf(rig.take()), [200]);
  assert.deepEqual(failed, []);
});

test('races: a callee that never answers its CANCEL is forgotten after 64*T1', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      await ksr.tm.t_relay();
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  await rig.advance(32_000);
  rig.take();
  await answers(rig, requests.get(CELL), { status: 200, host: CELL });
  assert.deepEqual(rig.take(), []);
  await rig.advance(64_000);
  assert.equal(rig.clock.pending, 0);
});
