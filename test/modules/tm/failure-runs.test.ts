import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig, type ProxyRig } from '../../proxy-rig.ts';
import { answersOf } from './forks.ts';
import { CALLEE, CALLER, request, response } from './messages.ts';

/** What the request handler does after it has armed the failure handler. */
type Step = 'relay' | 'relay nowhere' | 'relay, then reply' | 'reply' | 'throw' | 'relay, then throw';

/** A proxy whose request handler does this; `ran` counts the runs of its failure handler. */
async function failing(step: Step): Promise<{ readonly rig: ProxyRig; readonly ran: () => number }> {
  let runs = 0;
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'pv'],
      async request({ pv, ksr }) {
        ksr.tm.t_on_failure('over');
        if (step === 'relay nowhere') pv.$du.set('sip:nowhere.example.com');
        if (step.startsWith('relay')) await ksr.tm.t_relay();
        if (step.endsWith('reply')) ksr.tm.t_reply(480, 'Not Now');
        if (step.endsWith('throw')) throw new Error('no');
      },
      failure: { over: () => (runs += 1) },
    }),
  );
  await rig.receive(request(), CALLER);
  return { rig, ran: () => runs };
}

/** The callee answers the INVITE that it got. */
async function answered(rig: ProxyRig, status: number): Promise<void> {
  const invite = rig.take().find(({ text }) => text.startsWith('INVITE'));
  await rig.receive(response(invite?.text ?? '', status), CALLEE);
}

for (const step of ['relay', 'relay, then throw'] as const) {
  test(`t_on_failure: runs once when the callee refuses, after a handler that does: ${step}`, async () => {
    const { rig, ran } = await failing(step);
    await answered(rig, 486);
    assert.equal(ran(), 1);
  });
}

test('t_on_failure: runs when the callee is silent', async () => {
  const { rig, ran } = await failing('relay');
  await rig.advance(32_000);
  assert.equal(ran(), 1);
});

test('t_on_failure: does not run when the callee answers with 2xx', async () => {
  const { rig, ran } = await failing('relay');
  await answered(rig, 200);
  assert.equal(ran(), 0);
});

for (const [step, status] of [
  ['relay nowhere', 478],
  ['relay, then reply', 480],
  ['reply', 480],
  ['throw', 500],
] as const) {
  test(`t_on_failure: does not run after a handler that does: ${step}`, async () => {
    const { rig, ran } = await failing(step);
    assert.ok(rig.starts().some((line) => line.startsWith(`SIP/2.0 ${status} `)));
    await rig.advance(200_000);
    assert.equal(ran(), 0);
  });
}

test('t_on_branch: a handler that throws does not hold its branch back, which goes as far changed as it was', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr }) {
        ksr.tm.t_on_branch('each');
        await ksr.tm.t_relay();
      },
      branch: {
        each({ pv }) {
          pv.$ru.set('sip:carol@10.0.0.3');
          throw new Error('no');
        },
      },
    }),
  );
  await rig.receive(request(), CALLER);
  assert.equal(rig.starts().at(-1), 'INVITE sip:carol@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
  assert.equal(rig.lines('error').length, 1);
});

test('failure: runs for a CANCEL that comes when the request handler has ended with a provisional reply', async () => {
  const ran: string[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ msg, ksr }) {
      if (msg.method === 'CANCEL') await ksr.tm.t_relay();
      else {
        ksr.tm.t_on_failure('over');
        ksr.tm.t_reply(180, 'Ringing');
      }
    },
    failure: { over: () => ran.push('failure') },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual([answersOf(rig.take()), ran], [[180, 200, 487], ['failure']]);
});

test('failure: runs for a CANCEL that comes while a t_relay that was not awaited looks up the only name', async () => {
  const ran: string[] = [];
  const found: (() => void)[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    request({ msg, ksr }) {
      if (msg.method === 'INVITE') ksr.tm.t_on_failure('over');
      void ksr.tm.t_relay();
    },
    failure: { over: () => ran.push('failure') },
  });
  const rig = await proxyRig(routes, {
    lookup: (_host, _family, done) => found.push(() => done(null, '10.0.0.4')),
  });
  const uri = 'sip:bob@cell.example.com';
  await rig.receive(request({ uri }), CALLER);
  await rig.receive(request({ method: 'CANCEL', uri }), CALLER);
  found[0]!();
  await rig.advance(0);
  assert.deepEqual([answersOf(rig.take()), ran], [[100, 200, 487], ['failure']]);
});
