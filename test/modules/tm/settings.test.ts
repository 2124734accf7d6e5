import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, ProxyError } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, requestsBy, sentTo } from './forks.ts';
import { CALLEE, CALLER, request, response } from './messages.ts';

test('t_set_max_lifetime: what rings is cancelled when this request has lasted that long', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_set_max_lifetime(20_000, 0);
      await ksr.tm.t_relay();
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await rig.advance(5_000);
  await answers(rig, requests.get(DESK), { status: 180, host: DESK });
  await rig.advance(14_999);
  assert.ok(!sentTo(rig.take()).includes(`CANCEL ${DESK}`));
  await rig.advance(1);
  assert.ok(sentTo(rig.take()).includes(`CANCEL ${DESK}`));
});

test('t_set_max_lifetime, t_reset_max_lifetime: t_is_expired goes by them', async () => {
  const seen: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_set_max_lifetime(0, 5_000);
      ksr.tm.t_on_reply('ask');
      await ksr.tm.t_relay();
    },
    onreply: {
      ask({ ksr }) {
        seen.push(ksr.tm.t_is_expired());
        ksr.tm.t_reset_max_lifetime();
        seen.push(ksr.tm.t_is_expired());
      },
    },
  });
  const { rig, requests } = await forking(request({ method: 'MESSAGE' }), routes);
  await rig.advance(6_000);
  await answers(rig, requests.get(DESK), { status: 200, host: DESK });
  assert.deepEqual(seen, [true, false]);
});

for (const [what, set, times] of [
  ['t_set_retr', true, [250, 500, 1_000, 1_000]],
  ['t_reset_retr', false, [500, 1_000, 2_000, 4_000]],
] as const) {
  test(`${what}: retransmissions come after ${times.join(', ')} ms`, async () => {
    const routes = defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_set_retr(250, 1_000);
        if (!set) ksr.tm.t_reset_retr();
        await ksr.tm.t_relay();
      },
    });
    const { rig } = await forking(request({ method: 'MESSAGE' }), routes);
    for (const ms of times) {
      await rig.advance(ms - 1);
      assert.deepEqual(sentTo(rig.take()), []);
      await rig.advance(1);
      assert.deepEqual(sentTo(rig.take()), [`MESSAGE ${DESK}`]);
    }
  });
}

test('t_set_auto_inv_100: this INVITE gets no 100 at once', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_set_auto_inv_100(false);
      await ksr.tm.t_relay();
    },
  });
  const { rig, answers: first } = await forking(request(), routes);
  assert.deepEqual(first, []);
  await rig.advance(200);
  assert.deepEqual(answersOf(rig.take()), [100]);
});

/** Forks to the desk and the cell phone, and tries one more place when both have failed. */
const persistent = (disabled: boolean | null) =>
  defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr }) {
      if (disabled !== null) ksr.tm.t_set_disable_6xx(disabled);
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_failure('more');
      await ksr.tm.t_relay();
    },
    failure: {
      async more({ ksr, log }) {
        ksr.tm.append_branch('sip:bob@10.0.0.9');
        log.warn(String(await ksr.tm.t_relay()));
      },
    },
  });

for (const [how, disabled, tm] of [
  ['t_set_disable_6xx(true)', true, {}],
  ['disable_6xx_block', null, { disable_6xx_block: true }],
] as const) {
  test(`${how}: a 6xx ends no other branch, a further one may follow, and anything else is the better answer`, async () => {
    const rig = await proxyRig(persistent(disabled), { modules: { pv: {}, tm } });
    await rig.receive(request(), CALLER);
    const requests = requestsBy(rig.take());
    await answers(rig, requests.get(CELL), { status: 180, host: CELL });
    await answers(rig, requests.get(DESK), { status: 603, host: DESK });
    assert.ok(!sentTo(rig.take()).includes(`CANCEL ${CELL}`));
    await answers(rig, requests.get(CELL), { status: 480, host: CELL });
    const [third] = rig.take().filter(({ to }) => to.startsWith('10.0.0.9'));
    await answers(rig, third?.text, { status: 500, host: '10.0.0.9' });
    assert.deepEqual(answersOf(rig.take()), [480]);
    assert.deepEqual(rig.lines('warn'), ['true']);
  });
}

test('t_set_disable_6xx(false): overrides disable_6xx_block', async () => {
  const rig = await proxyRig(persistent(false), { modules: { pv: {}, tm: { disable_6xx_block: true } } });
  await rig.receive(request(), CALLER);
  const requests = requestsBy(rig.take());
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await answers(rig, requests.get(DESK), { status: 603, host: DESK });
  assert.ok(sentTo(rig.take()).includes(`CANCEL ${CELL}`));
});

for (const [disabled, next] of [
  [true, []],
  [false, [`INVITE ${CELL}`]],
] as const) {
  test(`t_set_disable_failover(${disabled}): a 503 of one server`, async () => {
    const routes = defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_set_disable_failover(disabled);
        await ksr.tm.t_relay();
      },
    });
    const rig = await proxyRig(routes, { lookup: (_host, _family, done) => done(null, [DESK, CELL]) });
    await rig.receive(request({ uri: 'sip:bob@pbx.example.com' }), CALLER);
    await answers(rig, requestsBy(rig.take()).get(DESK), { status: 503, host: DESK });
    assert.deepEqual(
      sentTo(rig.take()).filter((to) => to.startsWith('INVITE')),
      next,
    );
  });
}

test('t_is_set: tells which handlers are armed', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    request({ ksr }) {
      const ask = () =>
        (['branch_route', 'failure_route', 'onreply_route'] as const).map((each) => ksr.tm.t_is_set(each));
      seen.push(ask());
      ksr.tm.t_on_failure('over');
      seen.push(ask());
      ksr.tm.t_on_branch('out');
      ksr.tm.t_on_reply('seen');
      ksr.tm.t_on_failure(null);
      seen.push(ask());
      ksr.tm.t_reply(480, 'Over');
    },
    failure: { over() {} },
    branch: { out() {} },
    onreply: { seen() {} },
  });
  await forking(request(), routes);
  assert.deepEqual(seen, [
    [false, false, false],
    [false, true, false],
    [true, false, true],
  ]);
});

test('t_grep_status: finds the code of any branch, not only of the one that was chosen', async () => {
  const seen: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    failure: {
      over: ({ ksr }) => seen.push(...[404, '486', 408].map((code) => ksr.tm.t_grep_status(code))),
    },
  });
  const { rig, requests } = await forking(request(), routes);
  await answers(rig, requests.get(DESK), { status: 404, host: DESK });
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  assert.deepEqual(seen, [true, true, false]);
});

for (const [which, cancelled] of [
  ['all', [DESK, CELL]],
  ['others', [CELL]],
  ['this', [DESK]],
] as const) {
  test(`t_cancel_branches('${which}'): when the desk says 183 the proxy cancels ${cancelled.join(' and ')}`, async () => {
    const routes = defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.append_branch(`sip:bob@${CELL}`);
        ksr.tm.t_on_reply('seen');
        await ksr.tm.t_relay();
      },
      onreply: {
        seen({ msg, ksr }) {
          if (msg.status === 183) ksr.tm.t_cancel_branches(which);
        },
      },
    });
    const { rig, requests } = await forking(request(), routes);
    for (const host of [DESK, CELL]) await answers(rig, requests.get(host), { status: 180, host });
    rig.take();
    await answers(rig, requests.get(DESK), { status: 183, host: DESK });
    assert.deepEqual(
      sentTo(rig.take()),
      cancelled.map((host) => `CANCEL ${host}`),
    );
  });
}

for (const what of ['lifetime', 'retr', 'set'] as const) {
  test(`ERR_TM_VALUE: a wrong argument (${what}) is named`, async () => {
    let found: unknown = null;
    const routes = defineRoutes({
      uses: ['tm'],
      request({ ksr }) {
        try {
          if (what === 'lifetime') ksr.tm.t_set_max_lifetime(-1, 0);
          if (what === 'retr') ksr.tm.t_set_retr(0.5, 0);
          if (what === 'set') Reflect.apply(ksr.tm.t_is_set, ksr.tm, ['nothing']);
        } catch (error) {
          found = error instanceof ProxyError ? error.code : error;
        }
        ksr.tm.t_reply(480, 'Over');
      },
    });
    await forking(request(), routes);
    assert.equal(found, 'ERR_TM_VALUE');
  });
}

test('t_set_fr: no fr_inv_timer runs for requests other than INVITE', async () => {
  const timeouts: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_reply('trying');
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    onreply: {
      trying: ({ msg, ksr }) => {
        if (msg.status === 100) ksr.tm.t_set_fr(1_000, 20_000);
      },
    },
    failure: { over: ({ ksr }) => timeouts.push(ksr.tm.t_branch_timeout()) },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request({ method: 'MESSAGE' }), CALLER);
  const [message] = rig.take();
  await rig.receive(response(message?.text ?? '', 100), CALLEE);
  await rig.advance(2_000);
  await rig.receive(response(message?.text ?? '', 486), CALLEE);
  assert.deepEqual(timeouts, [false]);
});
