import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { gate } from '../../gate.ts';
import { answers, answersOf, CELL, DESK, forking, HOME, requestsBy, sentTo } from './forks.ts';
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

test('onreply: a final response is kept however many provisional ones wait, since a failure does not come again', async () => {
  const { opened, open } = gate();
  const { rig, requests } = await forking(request(), slowReplies(opened));
  for (let i = 0; i < 70; i += 1) await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 486, host });
  open();
  for (let i = 0; i < 20; i += 1) await rig.advance(0);
  assert.equal(answersOf(rig.take()).at(-1), 486);
});

test('onreply: a failure that its handler has in hand is not the answer before that has ended, though all branches are done', async () => {
  const { opened, open } = gate();
  const ran: string[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'textops'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_set_fr(0, 5_000);
      ksr.tm.t_on_reply('slow');
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    onreply: {
      async slow({ ksr }) {
        await opened;
        await ksr.textops.append_hf('X-Seen: yes');
        ran.push('onreply');
      },
    },
    failure: { over: () => ran.push('failure') },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  await rig.advance(5_000);
  assert.deepEqual(ran, []);
  open();
  await rig.advance(0);
  assert.deepEqual(ran, ['onreply', 'failure']);
  assert.match(rig.take().at(-1)?.text ?? '', /^SIP\/2\.0 486 [^]*X-Seen: yes/);
});

test('onreply: a failure that waited for the end of a failure handler has the next one run, and that one decides', async () => {
  const { opened, open } = gate();
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_reply('seen');
      ksr.tm.t_on_failure('first');
      await ksr.tm.t_relay();
    },
    onreply: { seen: () => {} },
    failure: {
      async first({ ksr }) {
        ksr.tm.append_branch(`sip:bob@${CELL}`);
        ksr.tm.t_on_failure('second');
        await ksr.tm.t_relay();
        await opened;
      },
      async second({ ksr }) {
        await Promise.resolve();
        ksr.tm.append_branch(`sip:bob@${HOME}`);
        await ksr.tm.t_relay();
      },
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 480, host: DESK });
  const toCell = requestsBy(rig.take().filter(({ text }) => text.startsWith('INVITE')));
  await answers(rig, toCell.get(CELL), { status: 486, host: CELL });
  rig.take();
  open();
  await rig.advance(0);
  const sent = rig.take();
  assert.deepEqual([answersOf(sent), sentTo(sent)], [[], [`INVITE ${HOME}`]]);
  await answers(rig, requestsBy(sent).get(HOME), { status: 200, host: HOME });
  assert.deepEqual(answersOf(rig.take()), [200]);
});
