import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { defineRoutes } from '../../core/index.ts';
import { EmbeddedServer } from '../../modules/memcached/embedded/embedded-server.ts';
import type { ReadOutcome } from '../../modules/memcached/outcome.ts';
import { FaultRelay } from '../memcached/fault-relay.ts';
import { clientOf } from '../memcached/rig.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { type ProxyRig, proxyRig } from '../proxy-rig.ts';

/** The module's `timeout`, by the proxy's clock, ms. */
export const TIMEOUT_MS = 200;

/** How long a test waits for real sockets, ms: generous, for slow machines. */
const PATIENCE_MS = 20_000;

/** Steps of the proxy's time in which it looks for the store, ms, and what real time each is given, ms. */
const STEP_MS = 100;
const STEP_PATIENCE_MS = 50;
/** Time after which it has to have found it, by the proxy's clock, ms: many probes, for machines so slow that some fail. */
const RECOVERY_MS = 200 * STEP_MS;

/** What the routes look up for each call. */
export const KEY = 'customer';
export const VALUE = 'premium';

/** A proxy on a fake clock whose routes look up each call in a store that can be broken. */
export interface Bench {
  readonly rig: ProxyRig;
  /** What the route got for each call. */
  readonly outcomes: readonly ReadOutcome[];
  readonly relay: FaultRelay;
  /** The store itself, where it is a process. */
  readonly process: Memcached | null;
}

/** Answers what needs no store, relays calls of a known customer, and refuses calls while the store is down: the route's policy. */
function routesOf(outcomes: ReadOutcome[]) {
  return defineRoutes({
    uses: ['sl', 'tm', 'siputils', 'memcached'],
    async request({ ksr }) {
      if (ksr.siputils.is_method('OPTIONS')) return ksr.sl.sl_send_reply(200, 'OK');
      if (ksr.siputils.has_totag()) return ksr.tm.t_relay();
      const outcome = await ksr.memcached.read(KEY);
      outcomes.push(outcome);
      if (outcome.status !== 'hit') return ksr.sl.sl_send_reply(503, 'Store Down');
      return ksr.tm.t_relay();
    },
  });
}

export async function bench(t: TestContext, { asProcess = false } = {}): Promise<Bench> {
  const process = asProcess ? await startMemcached() : null;
  const embedded = process === null ? new EmbeddedServer() : null;
  t.after(() => process?.kill());
  t.after(() => embedded?.stop());
  const store =
    embedded === null
      ? ({ kind: 'tcp', host: '127.0.0.1', port: process?.port ?? 0 } as const)
      : await embedded.start();
  const writer = clientOf(t, [store]);
  for (const key of [KEY, 'other']) await writer.write(key, key === KEY ? VALUE : 'wrong');
  const relay = await FaultRelay.start(t, store);
  const outcomes: ReadOutcome[] = [];
  const memcached = { servers: `127.0.0.1:${relay.port}`, timeout: TIMEOUT_MS };
  const rig = await proxyRig(routesOf(outcomes), {
    modules: { pv: {}, sl: {}, tm: {}, siputils: {}, memcached },
  });
  t.after(() => rig.proxy.stop());
  return { rig, outcomes, relay, process };
}

/** Waits for what real sockets bring, while the proxy's clock stands still. False when it does not come in time. */
export async function comes(what: () => boolean, patienceMs = PATIENCE_MS): Promise<boolean> {
  const end = performance.now() + patienceMs;
  while (!what()) {
    if (performance.now() > end) return false;
    await turn();
  }
  return true;
}

/** Calls made by this process, so that each has a branch of its own. */
let calls = 0;

/** Starts a call; what the proxy sends for it comes later. Returns its branch. */
export async function invite({ rig }: Bench): Promise<string> {
  calls += 1;
  const branch = `z9hG4bKfault${calls}`;
  rig.take();
  await rig.receive(request({ branch, callId: `fault-${calls}` }), CALLER);
  return branch;
}

/** What the proxy has sent by now, as start line and target. */
export function sent({ rig }: Bench): readonly string[] {
  return rig.edge.sent.map(({ text, to }) => `${text.slice(0, text.indexOf('\r\n'))} -> ${to}`);
}

/** Whether this is the refusal that the routes give while the store is down. */
export function isRefused(line: string): boolean {
  return line.startsWith('SIP/2.0 503 Store Down -> 10.0.0.2');
}

/** Makes a whole call, which must go through with the value that belongs to it, and without any time passing. */
export async function assertCallGoesThrough(at: Bench): Promise<void> {
  const { rig } = at;
  const branch = await invite(at);
  assert.ok(await comes(() => sent(at).some((line) => line.startsWith('INVITE'))), sent(at).join('\n'));
  assert.deepEqual(at.outcomes.at(-1), { status: 'hit', value: VALUE });
  const relayed = rig.take().find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
  await rig.receive(response(relayed, 200), CALLEE);
  assert.match(sent(at).join('\n'), /^SIP\/2\.0 200 .* -> 10\.0\.0\.2/m);
  const callId = header(relayed, 'Call-ID');
  rig.take();
  await rig.receive(request({ method: 'ACK', toTag: 'bob', callId, branch: `${branch}a` }), CALLER);
  await rig.receive(request({ method: 'BYE', toTag: 'bob', callId, branch: `${branch}b`, cseq: 2 }), CALLER);
  const [ack, bye] = rig.take();
  assert.match(ack?.text ?? '', /^ACK /);
  assert.match(bye?.text ?? '', /^BYE /);
  await rig.receive(response(bye?.text ?? '', 200), CALLEE);
  assert.match(sent(at).join('\n'), /^SIP\/2\.0 200 .* -> 10\.0\.0\.2/m);
}

/** A request that needs no store is answered, whatever waits for it, and without any time passing. */
export async function assertOthersGoOn({ rig }: Bench): Promise<void> {
  calls += 1;
  await rig.receive(
    request({ method: 'OPTIONS', branch: `z9hG4bKother${calls}`, callId: `other-${calls}` }),
    CALLER,
  );
  const answers = rig.edge.sent.filter(
    ({ text }) => text.startsWith('SIP/2.0 200 ') && /CSeq: 1 OPTIONS/.test(text),
  );
  assert.equal(answers.length, 1);
}

/** Time passes in steps in which the proxy's sockets are heard, up to the deadline and no further. */
export async function passDeadline({ rig }: Bench): Promise<void> {
  for (let passed = 0; passed < TIMEOUT_MS; passed += 10) await rig.advance(10);
}

/** Time passes until a probe has found the store again. */
export async function recover(at: Bench): Promise<void> {
  const isBack = (): boolean => at.rig.lines('notice').some((line) => line.endsWith('answers again'));
  for (let passed = 0; passed < RECOVERY_MS; passed += STEP_MS) {
    await at.rig.advance(STEP_MS);
    if (await comes(isBack, STEP_PATIENCE_MS)) return;
  }
  assert.fail('the store was not found again');
}
