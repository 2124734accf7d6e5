import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { gate } from '../../gate.ts';
import { answers, answersOf, CELL, DESK, forking } from './forks.ts';
import { request } from './messages.ts';

/** Forks to two; the onreply handler waits at the first response. */
function slowReplies(opened: Promise<void>) {
  return defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_reply('slow');
      await ksr.tm.t_relay();
    },
    onreply: { slow: () => opened },
  });
}

test('onreply: while it waits 64 responses are kept, in the order in which they came from all branches; more are dropped', async () => {
  const { opened, open } = gate();
  const { rig, requests } = await forking(request(), slowReplies(opened));
  const hosts = [DESK, CELL];
  for (let i = 0; i < 70; i += 1) {
    const host = hosts[i % 2]!;
    await answers(rig, requests.get(host), { status: 101 + i, host });
  }
  assert.deepEqual(answersOf(rig.take()), []);
  open();
  for (let i = 0; i < 20; i += 1) await rig.advance(0);
  assert.deepEqual(
    answersOf(rig.take()),
    Array.from({ length: 65 }, (_, i) => 101 + i),
  );
  const dropped = 'response dropped: too many wait for an onreply handler';
  assert.deepEqual(rig.lines('warn'), Array<string>(5).fill(dropped));
});

test('a proxy that stops leaves no timer of a branch that was given up behind', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_set_fr(0, 5_000);
      await ksr.tm.t_relay();
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await rig.advance(5_000);
  await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  const stopped = rig.proxy.stop();
  await rig.advance(2_000);
  await stopped;
  assert.equal(rig.clock.pending, 0);
});
