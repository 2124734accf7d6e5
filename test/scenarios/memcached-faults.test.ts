import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../architecture/source-files.ts';
import { clientOf } from '../memcached/rig.ts';
import { freePort } from '../programs/free-port.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import type { Proxy } from '../programs/proxy.ts';
import type { SippResult } from '../programs/sipp.ts';
import { assertAllGood, complaints, runPair, startCallProxy } from './pair.ts';
import { ask } from './sip-client.ts';

const FOLDER = join(ROOT, 'test/scenarios/sipp');
/** Calls per second. */
const RATE = 200;
/** How long calls run before the fault, ms. */
const BEFORE_MS = 2_000;
/** How long memcached is away when it is not there at all, ms. */
const AWAY_MS = 2_000;
/** How long memcached is stopped, ms. */
const STOPPED_MS = 10_000;

const WENT_DOWN = /^memcached \S+ is down: /;
const CAME_BACK = /^memcached \S+ answers again$/;

const skip = missing('sipp') ?? missing('memcached') ?? false;

async function start(t: TestContext, port?: number): Promise<Memcached> {
  const memcached = await startMemcached(port === undefined ? {} : { port });
  t.after(() => memcached.kill());
  // Creates the counter of active calls: $mcinc does not.
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port: memcached.port }]);
  assert.equal((await client.write('active', 0)).status, 'stored');
  return memcached;
}

/** Asserts that the proxy writes and reads a key, and moves a counter. */
async function assertWorks(proxy: Proxy): Promise<void> {
  for (const count of [1, 2]) {
    const reply = await ask(proxy.port, { method: 'OPTIONS', user: 'probe' });
    const value = /^X-Value: (.*)\r$/m.exec(reply)?.[1];
    const callId = /^Call-ID: (.*)\r$/m.exec(reply)?.[1];
    assert.ok(value !== undefined && value === callId, reply);
    assert.match(reply, new RegExp(`^X-Count: {"status":"done","value":${count}}\r$`, 'm'));
  }
}

/** Calls whose answer took longer than the bound that caller.xml has: 50 ms of the callee, four deadlines of memcached, and 200 ms. */
function slowAnswers({ columns }: SippResult): readonly (string | undefined)[] {
  return ['invite', 'bye'].map((name) => columns.get(`ResponseTimeRepartition${name}_>=1250`));
}

interface Fault {
  /** Port that the proxy looks for memcached at. */
  readonly port: number;
  /** How long calls run: through the fault and past it, s. */
  readonly seconds: number;
  /** Breaks memcached, and puts it right. */
  readonly happen: () => Promise<void>;
}

/** Runs calls through a fault, and asserts that no caller notices and that the proxy recovers. */
async function check(t: TestContext, { port, seconds, happen }: Fault): Promise<void> {
  const { proxy, calleePort } = await startCallProxy(t, { memcached: `127.0.0.1:${port}` });
  const calls = RATE * seconds;
  const scenarios = { caller: join(FOLDER, 'caller.xml'), callee: join(FOLDER, 'callee.xml') };
  let isRunning = true;
  const running = runPair(
    { ...scenarios, calls, rate: RATE, limitMs: 28_000 },
    { target: proxy.port, calleePort },
  ).finally(() => {
    isRunning = false;
  });
  await happen();
  await proxy.waitForLog(CAME_BACK);
  assert.ok(isRunning, 'memcached came back only after the last call');
  const { caller, callee } = await running;

  assertAllGood('caller', caller, calls);
  assertAllGood('callee', callee, calls);
  // Callers send a BYE again after 500 ms: none waited for as long.
  assert.equal(caller.retransmissions, 0);
  assert.deepEqual(slowAnswers(caller), ['0', '0']);
  await assertWorks(proxy);
  assert.deepEqual(
    complaints(proxy).map(({ message }) => WENT_DOWN.test(message)),
    [true],
    JSON.stringify(complaints(proxy)),
  );
  assert.equal(proxy.log().filter(({ message }) => CAME_BACK.test(message)).length, 1);
}

test('memcached faults: killed during 200 calls/s and started again, and no call notices', {
  skip,
}, async (t) => {
  const memcached = await start(t);
  await check(t, {
    port: memcached.port,
    seconds: 9,
    happen: async () => {
      await delay(BEFORE_MS);
      await memcached.kill();
      await delay(AWAY_MS);
      await start(t, memcached.port);
    },
  });
});

test('memcached faults: silent for 10 s during 200 calls/s, and no call notices', { skip }, async (t) => {
  const memcached = await start(t);
  await check(t, {
    port: memcached.port,
    seconds: 16,
    happen: async () => {
      await delay(BEFORE_MS);
      memcached.pause();
      await delay(STOPPED_MS);
      memcached.resume();
    },
  });
});

test('memcached faults: not there at the start, started during 200 calls/s, and no call notices', {
  skip,
}, async (t) => {
  const port = await freePort();
  await check(t, {
    port,
    seconds: 8,
    happen: async () => {
      await delay(AWAY_MS);
      await start(t, port);
    },
  });
});
