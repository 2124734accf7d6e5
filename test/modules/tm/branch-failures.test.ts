import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, HOME, sentTo, requestsBy } from './forks.ts';
import { CALLER, header, request } from './messages.ts';

/** Forks to two, tells in the log what the failure handler can ask, and gives up after 5 s without response or 20 s of ringing. */
const asking = defineRoutes({
  uses: ['tm', 'pv'],
  async request({ ksr }) {
    ksr.tm.append_branch(`sip:bob@${CELL}`);
    ksr.tm.t_set_fr(20_000, 5_000);
    ksr.tm.t_on_failure('ask');
    await ksr.tm.t_relay();
  },
  failure: {
    ask({ ksr, pv, log }) {
      const { tm } = ksr;
      log.warn(
        [
          `branch ${pv.$T_branch_idx.get()} code ${pv.$T_reply_code.get()}`,
          tm.t_check_status('408|487') ? 'over' : '',
          tm.t_check_status(/^486$/) ? 'busy' : '',
          tm.t_branch_timeout() ? 'timeout' : '',
          tm.t_any_timeout() ? 'any timeout' : '',
          tm.t_branch_replied() ? 'replied' : '',
          tm.t_any_replied() ? 'any replied' : '',
          tm.t_is_expired() ? 'expired' : '',
        ]
          .filter((part) => part !== '')
          .join(', '),
      );
    },
  },
});

test('failure: a branch that answered at once', async () => {
  const { rig, requests } = await forking(request(), asking);
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  await answers(rig, requests.get(DESK), { status: 503, host: DESK });
  assert.deepEqual(rig.lines('warn'), ['branch 1 code 486, busy, any replied']);
});

test('failure: branches that said nothing', async () => {
  const { rig } = await forking(request(), asking);
  await rig.advance(5_000);
  assert.deepEqual(rig.lines('warn'), ['branch 0 code 408, over, timeout, any timeout']);
  assert.deepEqual(answersOf(rig.take()), [408]);
});

test('failure: one that rang too long is cancelled; its 487 is told as a timeout', async () => {
  const { rig, requests } = await forking(request(), asking);
  await answers(rig, requests.get(DESK), { status: 503, host: DESK });
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  rig.take();
  await rig.advance(20_000);
  assert.deepEqual(sentTo(rig.take()).slice(0, 1), [`CANCEL ${CELL}`]);
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  assert.deepEqual(rig.lines('warn'), [
    'branch 1 code 487, over, timeout, any timeout, replied, any replied',
  ]);
});

test('failure: a call cancelled before it had a branch has no branch, and 487', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ msg, ksr }) {
      if (msg.method === 'INVITE') {
        ksr.tm.t_on_failure('ask');
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await ksr.tm.t_relay();
    },
    failure: {
      ask: ({ pv, ksr, log }) =>
        log.warn(`${pv.$T_branch_idx.get()} ${pv.$T_reply_code.get()} ${ksr.tm.t_branch_timeout()}`),
    },
  });
  const rig = await proxyRig(routes);
  const invite = rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await invite;
  assert.deepEqual(rig.lines('warn'), ['null 487 false']);
});

test('fr_timer below 64*T1: INVITE is not sent again after it; what rings late is cancelled', async () => {
  const { rig, requests } = await forking(request(), asking);
  await rig.advance(5_000);
  rig.take();
  await rig.advance(2_000);
  assert.deepEqual(sentTo(rig.take()), []);
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`CANCEL ${CELL}`]);
  assert.deepEqual(
    answersOf(sent).filter((code) => code !== 408),
    [],
  );
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${CELL}`]);
  await rig.advance(200_000);
  assert.equal(rig.clock.pending, 0);
});

/** Gives the desk 5 s, then tries the cell phone. */
const impatient = defineRoutes({
  uses: ['tm', 'pv'],
  async request({ ksr }) {
    ksr.tm.t_set_fr(0, 5_000);
    ksr.tm.t_on_failure('cell');
    await ksr.tm.t_relay();
  },
  failure: {
    async cell({ ksr, pv }) {
      ksr.tm.t_reset_fr();
      pv.$ru.set(`sip:bob@${CELL}`);
      await ksr.tm.t_relay();
    },
  },
});

test('fr_timer below 64*T1: a 200 that comes late still is the answer, and cancels what was tried instead', async () => {
  const { rig, requests } = await forking(request(), impatient);
  await rig.advance(5_000);
  const [cell] = rig.take().filter(({ to }) => to.startsWith(CELL));
  await answers(rig, cell?.text, { status: 180, host: CELL });
  rig.take();
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), [200]);
  assert.deepEqual(sentTo(sent), [`CANCEL ${CELL}`]);
  await answers(rig, cell?.text, { status: 487, host: CELL });
  assert.deepEqual(answersOf(rig.take()), []);
});

test('t_reset_fr: later branches have the times of the parameters', async () => {
  const { rig } = await forking(request(), impatient);
  await rig.advance(5_000);
  rig.take();
  await rig.advance(31_999);
  assert.deepEqual(answersOf(rig.take()), []);
  await rig.advance(1);
  assert.deepEqual(answersOf(rig.take()), [408]);
});

test('t_set_fr in an onreply handler: the wait of branches under way begins anew', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_reply('rings');
      await ksr.tm.t_relay();
    },
    onreply: {
      rings({ ksr }) {
        if (ksr.tm.t_check_status('180')) ksr.tm.t_set_fr(10_000);
      },
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 183, host: DESK });
  await rig.advance(60_000);
  await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  rig.take();
  await rig.advance(9_999);
  assert.deepEqual(sentTo(rig.take()), []);
  await rig.advance(1);
  assert.deepEqual(sentTo(rig.take()), [`CANCEL ${DESK}`]);
});

test('t_set_fr for another request: timer F is shorter', async () => {
  const { rig } = await forking(request({ method: 'MESSAGE' }), asking);
  await rig.advance(5_000);
  assert.deepEqual(rig.lines('warn'), ['branch 0 code 408, over, timeout, any timeout']);
});

test('max_inv_lifetime: provisional responses do not put off the end for ever', async () => {
  const rig = await proxyRig(asking, {
    modules: { pv: {}, sl: {}, tm: { max_inv_lifetime: 30_000 } },
  });
  await rig.receive(request(), CALLER);
  const requests = requestsBy(rig.take());
  await answers(rig, requests.get(DESK), { status: 404, host: DESK });
  for (let i = 0; i < 3; i += 1) {
    await answers(rig, requests.get(CELL), { status: 180, host: CELL });
    await rig.advance(10_000);
  }
  assert.ok(sentTo(rig.take()).includes(`CANCEL ${CELL}`));
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  assert.match(rig.lines('warn')[0] ?? '', /^branch 0 code 404, .*expired$/);
});

for (const [mode, answer] of [
  ['a', 500],
  ['l', 500],
  ['n', 404],
] as const) {
  test(`t_drop_replies('${mode}'): of 404 and then 503 the caller gets ${answer}`, async () => {
    const routes = defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr }) {
        ksr.tm.t_on_failure('again');
        await ksr.tm.t_relay();
      },
      failure: {
        async again({ ksr, pv }) {
          ksr.tm.t_drop_replies(mode);
          pv.$ru.set(`sip:bob@${HOME}`);
          await ksr.tm.t_relay();
        },
      },
    });
    const { rig, requests } = await forking(request(), routes);
    await answers(rig, requests.get(DESK), { status: 404, host: DESK });
    const [home] = rig.take().filter(({ to }) => to.startsWith(HOME));
    await answers(rig, home?.text, { status: 503, host: HOME });
    assert.deepEqual(answersOf(rig.take()), [answer]);
  });
}

test("t_drop_replies('l'): what came before the last t_relay stays in the choice", async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr }) {
      ksr.tm.t_on_failure('again');
      await ksr.tm.t_relay();
    },
    failure: {
      async again({ ksr, pv }) {
        pv.$ru.set(`sip:bob@${HOME}`);
        ksr.tm.t_on_failure('over');
        await ksr.tm.t_relay();
      },
      over: ({ ksr }) => ksr.tm.t_drop_replies('l'),
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 486, host: DESK });
  const [home] = rig.take().filter(({ to }) => to.startsWith(HOME));
  await answers(rig, home?.text, { status: 302, host: HOME });
  assert.deepEqual(answersOf(rig.take()), [486]);
});

test('t_drop_replies: when all are dropped and nothing is tried the caller gets 500', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    failure: { over: ({ ksr }) => ksr.tm.t_drop_replies() },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 486, host: DESK });
  assert.deepEqual(answersOf(rig.take()), [500]);
});

test('failure: t_reply there, while nothing else is tried, is the answer of a forked request', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    failure: { over: ({ ksr }) => ksr.tm.t_reply(480, 'Nobody There') },
  });
  const { rig, requests } = await forking(request(), routes);
  for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 404, host });
  const [, , answer] = rig.take();
  assert.match(answer!.text, /^SIP\/2\.0 480 Nobody There\r\n/);
});

test('$T_branch_idx: branch and onreply handlers know their branch; $T_reply_code the response', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv', 'textops'],
    async request({ ksr, pv, log }) {
      log.warn(`${pv.$T_branch_idx.get()} ${pv.$T_reply_code.get()}`);
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_branch('mark');
      ksr.tm.t_on_reply('seen');
      await ksr.tm.t_relay();
      log.warn(`sent ${pv.$T_reply_code.get()}`);
    },
    branch: {
      async mark({ ksr, pv }) {
        await ksr.textops.append_hf(`X-Branch: ${pv.$T_branch_idx.get()}`);
        if (pv.$T_branch_idx.get() === 1) pv.$du.set('sip:10.0.0.8');
      },
    },
    onreply: { seen: ({ pv, log }) => log.warn(`${pv.$T_branch_idx.get()} ${pv.$T_reply_code.get()}`) },
  });
  const { rig, requests } = await forking(request(), routes);
  assert.equal(header(requests.get(DESK)!, 'X-Branch'), '0');
  // $du that a branch handler sets is the next hop of that branch alone.
  assert.equal(header(requests.get('10.0.0.8')!, 'X-Branch'), '1');
  await answers(rig, requests.get('10.0.0.8'), { status: 183, host: '10.0.0.8' });
  assert.deepEqual(rig.lines('warn'), ['null null', 'sent 100', '1 183']);
});
