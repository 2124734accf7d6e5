import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SUB_WINDOWS } from '../../modules/memcached/limits/rate.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { freePort } from '../programs/free-port.ts';
import { limitsOf, onEachBackend } from './limits-rig.ts';
import { clientOf } from './rig.ts';

const START_MS = 1_800_000_000_000;
const UNBOUNDED = {};

onEachBackend(
  'rate: all proxies together get so many in any period, and those refused do not count',
  async (t, { address }) => {
    let nowMs = START_MS;
    const proxies = [0, 1, 2].map(() => limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs }).rates);
    const allowedAt: number[] = [];
    // Ten times as many as may pass, for ten periods.
    for (let i = 0; i < 1000; i++) {
      const rates = proxies[i % proxies.length];
      const outcome = await rates?.rate('trunk', { limit: 10, per: 'second' }, UNBOUNDED);
      if (outcome?.status === 'allowed') allowedAt.push(nowMs);
      else assert.equal(outcome?.status, 'exceeded');
      nowMs += 10;
    }
    for (const [index, atMs] of allowedAt.entries()) {
      const eleventh = allowedAt[index + 10];
      assert.ok(eleventh === undefined || eleventh - atMs >= 1000, `${atMs}: 11 within a second`);
    }
    // At least so many of the 100 that the limit would let pass: a twentieth of the period is lost.
    assert.ok(allowedAt.length >= 95, `${allowedAt.length} passed`);
  },
);

onEachBackend(
  'rate: clocks that differ by less than a twentieth of the period loosen nothing',
  async (t, { address }) => {
    let nowMs = START_MS;
    const ahead = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs }).rates;
    const behind = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs - 5 }).rates;
    const allowed = async (rates: typeof ahead, key: string, times: number): Promise<number> => {
      let count = 0;
      for (let i = 0; i < times; i++) {
        const outcome = await rates.rate(key, { limit: 10, per: 'second' }, UNBOUNDED);
        if (outcome.status === 'allowed') count += 1;
      }
      return count;
    };
    // One has begun a sub-window, the other has not.
    assert.equal((await allowed(ahead, 'a', 15)) + (await allowed(behind, 'a', 15)), 10);
    // What the one behind counts late is seen in the sub-window after it, too.
    const early = (await allowed(ahead, 'b', 1)) + (await allowed(behind, 'b', 5));
    nowMs += 1000 / SUB_WINDOWS;
    assert.equal(early + (await allowed(ahead, 'b', 15)), 10);
    // Both create their counter at once: neither has seen what the other counts when it first looks.
    const both = await Promise.all(
      Array.from({ length: 30 }, (_, i) => allowed(i % 2 === 0 ? ahead : behind, 'c', 1)),
    );
    const together = both.reduce((sum, one) => sum + one, 0);
    assert.ok(together <= 10, `${together} passed`);
  },
);

onEachBackend('rate: one round trip: the commands of one leave in one turn', async (t, { address }) => {
  let nowMs = START_MS;
  const client = clientOf(t, [address]);
  const { rates } = limitsOf(t, client, { nowMs: () => nowMs });
  const options = { limit: 5, per: 'minute' } as const;
  await rates.rate('k', options, UNBOUNDED);
  const commands = (): readonly number[] => {
    const [statistics] = Object.values(client.statistics());
    const { incr, add, get } = statistics ?? assert.fail();
    return [incr, add, get].map(({ hits, misses }) => hits + misses);
  };
  // The first: every sub-window is read, with the next one, the counter created, and its neighbours read again.
  assert.deepEqual(commands(), [2, 1, SUB_WINDOWS + 3]);
  await rates.rate('k', options, UNBOUNDED);
  // Another in the same sub-window: the counter, the one before and the next one.
  assert.deepEqual(commands(), [3, 1, SUB_WINDOWS + 5]);
  nowMs += 60_000 / SUB_WINDOWS;
  assert.deepEqual(await rates.rate('k', options, UNBOUNDED), {
    status: 'allowed',
    count: 3,
    countedBy: 'cluster',
  });
});

test('rate: while the store is down the policy decides', async (t) => {
  const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  let nowMs = START_MS;
  const clock = new FakeClock();
  const { rates } = limitsOf(t, clientOf(t, [dead], { clock }), { clock, nowMs: () => nowMs });
  const ask = async (onDown?: 'open' | 'closed'): Promise<string> => {
    const policy = onDown === undefined ? {} : { onDown };
    const outcome = await rates.rate('k', { limit: 2, per: 'second', ...policy }, UNBOUNDED);
    return outcome.status === 'down' ? 'down' : `${outcome.status} by ${outcome.countedBy}`;
  };
  assert.deepEqual(
    [await ask(), await ask(), await ask()],
    ['allowed by local', 'allowed by local', 'exceeded by local'],
  );
  assert.equal(await ask('open'), 'allowed by nobody');
  assert.equal(await ask('closed'), 'down');
  nowMs += 1000 + 1000 / SUB_WINDOWS;
  assert.equal(await ask(), 'allowed by local');
});
