import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../programs/child.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { eventually, limitsOf } from './limits-rig.ts';
import { clientOf } from './rig.ts';

const skip = missing('memcached') ?? false;

const PROCESSES = 4;
const TIMES = 50_000;
const COUNTERS = 5000;

const MAX_CALLS = 10;
const TTL_S = 2;
/** Calls that each phase of a race waits for. */
const SOME_CALLS = 100;

function racer(t: TestContext, memcached: Memcached, ...args: readonly (string | number)[]): Child {
  const script = join(import.meta.dirname, 'race-process.js');
  const child = new Child(process.execPath, [script, String(memcached.port), ...args.map(String)]);
  t.after(() => child.signal('SIGKILL'));
  return child;
}

function clientTo(t: TestContext, { port }: Memcached): ReturnType<typeof clientOf> {
  return clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port }]);
}

test(`races: ${PROCESSES} processes count ${TIMES} times each, in counters that none has created: none is lost, none counts twice`, {
  skip,
}, async (t) => {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const racers = Array.from({ length: PROCESSES }, () => racer(t, memcached, 'count', COUNTERS, TIMES));
  for (const child of racers) {
    const { code } = await child.exited;
    assert.deepEqual([code, child.out], [0, [String(TIMES)]], child.err.join('\n'));
  }
  const client = clientTo(t, memcached);
  const each = (PROCESSES * TIMES) / COUNTERS;
  const counts = await Promise.all(Array.from({ length: COUNTERS }, (_, i) => client.read(`race:${i}`)));
  for (const outcome of counts) assert.deepEqual(outcome, { status: 'hit', value: each });
});

/** How many calls these processes had at one time, at most. Those of a process that was killed last as long as their leases. */
function mostAtOnce(racers: readonly Child[]): number {
  const steps = racers.flatMap(({ out }) => {
    const open = new Map<string, bigint>();
    const ended = out.flatMap((line) => {
      const [sign, time = '0', id = '', asked = '0'] = line.split(' ');
      if (sign === '+') open.set(id, BigInt(asked));
      else open.delete(id);
      return { step: sign === '+' ? 1 : -1, at: BigInt(time) };
    });
    // Not longer than the lease: it was granted after it was asked for, and ends by a clock of whole ms.
    const leaseNs = BigInt(TTL_S) * 1_000_000_000n - 1_000_000n;
    return [...ended, ...[...open.values()].map((at) => ({ step: -1, at: at + leaseNs }))];
  });
  steps.sort((a, b) => (a.at === b.at ? a.step - b.step : a.at < b.at ? -1 : 1));
  let now = 0;
  let most = 0;
  for (const { step } of steps) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}

/** Waits until a process has made more calls than it has now. */
async function moreCalls(child: Child, calls = SOME_CALLS): Promise<void> {
  const before = child.out.length;
  await child.until(`${calls} more calls`, () => child.out.length >= before + 2 * calls);
}

test('races: the limit of calls holds while a process is killed, and its calls are gone when their leases end', {
  skip,
}, async (t) => {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const victim = racer(t, memcached, 'calls', 'victim', MAX_CALLS, TTL_S);
  const other = racer(t, memcached, 'calls', 'other', MAX_CALLS, TTL_S);
  await Promise.all([moreCalls(victim), moreCalls(other)]);
  victim.signal('SIGKILL');
  await victim.exited;
  const gone = Date.now() + TTL_S * 1000;
  await moreCalls(other);
  await delay(Math.max(0, gone - Date.now()) + 1);
  await moreCalls(other);
  assert.equal((await other.stop(20_000)).code, 0, other.err.join('\n'));
  const most = mostAtOnce([victim, other]);
  assert.ok(most <= MAX_CALLS && most > MAX_CALLS / 2, `${most} calls at one time`);
  const { leases } = limitsOf(t, clientTo(t, memcached));
  assert.deepEqual(await leases.active('race', {}), { status: 'done', active: 0 });
});

test('races: the limit of calls holds when memcached is killed and started again, and none is left behind', {
  skip,
}, async (t) => {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const racers = ['one', 'two'].map((name) => racer(t, memcached, 'calls', name, MAX_CALLS, TTL_S));
  await Promise.all(racers.map((child) => moreCalls(child)));
  await memcached.kill();
  const again = await startMemcached({ port: memcached.port });
  t.after(() => again.kill());
  await Promise.all(racers.map((child) => moreCalls(child)));
  for (const child of racers) assert.equal((await child.stop(20_000)).code, 0, child.err.join('\n'));
  // Each process puts back what it holds: at worst the calls of before and as many new ones run at a time.
  const most = mostAtOnce(racers);
  assert.ok(most <= 2 * MAX_CALLS && most > MAX_CALLS / 2, `${most} calls at one time`);
  const { leases } = limitsOf(t, clientTo(t, again));
  const ended = Date.now() + TTL_S * 1000;
  await eventually('true number', async () => {
    const outcome = await leases.active('race', {});
    const isTrue = outcome.status === 'done' && outcome.active === 0;
    assert.ok(isTrue || Date.now() <= ended + 1000, JSON.stringify(outcome));
    return isTrue;
  });
});

test('races: memcached started again has the leases of all who hold some, though none of them asks for anything', {
  skip,
}, async (t) => {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const holders = [6, 4].map((count, who) => ({
    leases: limitsOf(t, clientTo(t, memcached)).leases,
    ids: Array.from({ length: count }, (_, i) => `${who}-${i}`),
  }));
  for (const { leases, ids } of holders) {
    for (const id of ids) await leases.acquire('race', { max: MAX_CALLS, ttl: 600, id }, {});
  }
  await memcached.kill();
  const again = await startMemcached({ port: memcached.port });
  t.after(() => again.kill());
  const { leases } = limitsOf(t, clientTo(t, again));
  await eventually('all leases', async () => {
    const outcome = await leases.active('race', {});
    return outcome.status === 'done' && outcome.active === MAX_CALLS;
  });
  const more = await leases.acquire('race', { max: MAX_CALLS, ttl: 600, id: 'more' }, {});
  assert.deepEqual(more, { status: 'full', active: MAX_CALLS, countedBy: 'cluster' });
});
