import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineModule, defineRoutes } from '../../core/index.ts';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { proxyRig, type ProxyRig } from '../proxy-rig.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});
const relayNothing = defineRoutes({ uses: [], request: () => undefined });
const LIMITS = { limits: { shutdownTimeoutMs: 2_000 } };

/** Steps in which a proxy that stops is given time, ms. */
const STEP_MS = 100;

/** Stops the proxy; `state.stopped` tells when it has. */
function stopping(rig: ProxyRig): { stopped: boolean } {
  const state = { stopped: false };
  void rig.proxy.stop().then(() => {
    state.stopped = true;
  });
  return state;
}

async function pass(rig: ProxyRig, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += STEP_MS) for (let j = 0; j < 5; j += 1) await rig.advance(STEP_MS / 5);
}

test('stop: with nothing under way it is over at once', async () => {
  const rig = await proxyRig(relayAll, LIMITS);
  const state = stopping(rig);
  await rig.advance(0);
  assert.equal(state.stopped, true);
  assert.equal(rig.clock.pending, 0);
});

test('stop: new requests get 503 with Retry-After, those of dialogs and CANCELs are served', async () => {
  const rig = await proxyRig(relayAll, LIMITS);
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  stopping(rig);
  await rig.receive(request({ branch: 'z9hG4bKnew', callId: 'call-2' }), CALLER);
  const [refused] = rig.take();
  assert.match(refused!.text, /^SIP\/2\.0 503 /);
  assert.equal(header(refused!.text, 'Retry-After'), '5');
  await rig.receive(request({ method: 'BYE', branch: 'z9hG4bKbye', toTag: 'x', callId: 'call-3' }), CALLER);
  assert.deepEqual(rig.starts(), ['BYE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 200 canceling -> 10.0.0.2:5060',
    'CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
  ]);
});

test('stop: waits for the transactions that have no final response', async () => {
  const rig = await proxyRig(relayAll, LIMITS);
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  const state = stopping(rig);
  await pass(rig, 1_000);
  assert.equal(state.stopped, false);
  rig.take();
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  await pass(rig, 100);
  assert.equal(state.stopped, true);
});

test('stop: waits for handlers', async () => {
  const { opened, open } = gate();
  const rig = await proxyRig(defineRoutes({ uses: [], request: () => opened }), { ...LIMITS, modules: {} });
  await rig.receive(request({ method: 'ACK', toTag: 'bob' }), CALLER);
  const state = stopping(rig);
  await pass(rig, 500);
  assert.equal(state.stopped, false);
  open();
  await pass(rig, 100);
  assert.equal(state.stopped, true);
});

test('stop: after shutdown_timeout it waits no longer, and leaves no timer', async () => {
  const rig = await proxyRig(relayAll, LIMITS);
  await rig.receive(request(), CALLER);
  const state = stopping(rig);
  await pass(rig, 1_900);
  assert.equal(state.stopped, false);
  await pass(rig, 200);
  assert.equal(state.stopped, true);
  assert.equal(rig.clock.pending, 0);
});

/** A module that takes this long to stop, by the clock of its proxy. */
const slowToStop = (ms: number) =>
  defineModule({
    name: 'slow_to_stop',
    doc: 'Ends slowly.',
    depends: [],
    params: {},
    init: ({ core: { clock } }) => clock,
    pseudoVariables: {},
    functions: {},
    stop: (clock) => new Promise<void>((resolve) => clock.setTimer(ms, resolve)),
  });

test('stop: modules have their time, however short shutdown_timeout is', async () => {
  const rig = await proxyRig(relayNothing, {
    modules: { slow_to_stop: {} },
    extra: [slowToStop(400)],
    limits: { shutdownTimeoutMs: 0 },
  });
  const stopped = rig.proxy.stop();
  await rig.advance(0);
  await rig.advance(400);
  await stopped;
});

test('stop: a module that takes longer than 5 s is given up, and named', async () => {
  const rig = await proxyRig(relayNothing, {
    modules: { slow_to_stop: {} },
    extra: [slowToStop(60_000)],
  });
  const refused = assert.rejects(rig.proxy.stop(), /slow_to_stop.*longer than 5000 ms/);
  await rig.advance(0);
  await rig.advance(5_000);
  await refused;
});

test('stop: what still rings when the time is up is cancelled, and its failure handler runs', async () => {
  const ended: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_failure('over');
      await ksr.tm.t_relay();
    },
    failure: {
      async over({ ksr }) {
        ended.push(ksr.tm.t_check_status('408'));
        // Nobody else is tried.
        ksr.tm.append_branch('sip:bob@10.0.0.9');
        ended.push(await ksr.tm.t_relay());
      },
    },
  });
  const rig = await proxyRig(routes, LIMITS);
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  await rig.receive(response(invite, 180), CALLEE);
  rig.take();
  const state = stopping(rig);
  await pass(rig, 1_900);
  assert.deepEqual(rig.starts(), []);
  await pass(rig, 200);
  assert.deepEqual(rig.starts(), [
    'CANCEL sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
    'SIP/2.0 408 Request Timeout -> 10.0.0.2:5060',
  ]);
  assert.deepEqual(ended, [true, false]);
  assert.equal(state.stopped, true);
  assert.equal(rig.clock.pending, 0);
  assert.deepEqual(rig.lines('notice'), ['requests without an answer are ended by the stop']);
});

test('stop: a request that a handler still holds gets 503', async () => {
  const held = gate();
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      await held.opened;
      await ksr.tm.t_relay();
    },
  });
  const rig = await proxyRig(routes, { limits: { shutdownTimeoutMs: 2_000, handlerTimeoutMs: 60_000 } });
  await rig.receive(request(), CALLER);
  rig.take();
  const state = stopping(rig);
  await pass(rig, 2_100);
  assert.deepEqual(
    rig.starts().filter((line) => !line.includes(' 100 ')),
    ['SIP/2.0 503 Service Unavailable -> 10.0.0.2:5060'],
  );
  await pass(rig, 1_000);
  assert.equal(state.stopped, true);
  held.open();
});
