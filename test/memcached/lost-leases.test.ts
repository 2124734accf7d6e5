import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldSweep, SWEEP_MS } from '../../modules/memcached/limits/held-sweep.ts';
import { MAX_RELEASES_AGAIN, RELEASE_AGAIN_MS } from '../../modules/memcached/limits/leases.ts';
import { REPUBLISH_MIN_MS, RepublishTimer } from '../../modules/memcached/limits/republish-timer.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { eventually, limitsOf, onEachBackend } from './limits-rig.ts';
import { clientOf, rawExchange } from './rig.ts';

const UNBOUNDED = {};

onEachBackend(
  'lost leases: a renewal makes no place; what the store has lost comes back from those who hold it alone',
  async (t, { address }) => {
    const one = limitsOf(t, clientOf(t, [address])).leases;
    const two = limitsOf(t, clientOf(t, [address])).leases;
    const renew = async (leases: typeof one, id: string): Promise<string> =>
      (await leases.renew('l', id, { ttl: 60 }, UNBOUNDED)).status;
    assert.equal(await renew(one, 'stray'), 'missing');
    await one.acquire('l', { max: 2, ttl: 60, id: 'a' }, UNBOUNDED);
    await one.acquire('l', { max: 2, ttl: 60, id: 'over' }, UNBOUNDED);
    await one.release('l', 'over', UNBOUNDED);
    await rawExchange(address, 'flush_all\r\n');
    assert.deepEqual(
      [await renew(two, 'a'), await renew(one, 'over'), await renew(one, 'a'), await renew(two, 'a')],
      ['missing', 'missing', 'renewed', 'renewed'],
    );
    // Who has renewed it holds it too.
    await rawExchange(address, 'flush_all\r\n');
    assert.deepEqual(await two.active('l', UNBOUNDED), { status: 'done', active: 1 });
  },
);

onEachBackend(
  'lost leases: the store losing its memory costs nothing: they are put back',
  async (t, { address }) => {
    const client = clientOf(t, [address]);
    const { leases } = limitsOf(t, client);
    for (const id of ['a', 'b', 'c']) await leases.acquire('l', { max: 3, ttl: 60, id }, UNBOUNDED);
    await leases.release('l', 'b', UNBOUNDED);
    await rawExchange(address, 'flush_all\r\n');
    assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'done', active: 2 });
    const others = limitsOf(t, clientOf(t, [address])).leases;
    assert.deepEqual(await others.active('l', UNBOUNDED), { status: 'done', active: 2 });
  },
);

onEachBackend(
  'lost leases: what another proxy has released is not put back after a loss, once this one has looked',
  async (t, { address }) => {
    const clock = new FakeClock();
    const one = limitsOf(t, clientOf(t, [address]), { clock });
    const two = limitsOf(t, clientOf(t, [address])).leases;
    for (const id of ['a', 'b', 'c']) await one.leases.acquire('l', { max: 3, ttl: 60, id }, UNBOUNDED);
    await two.release('l', 'a', UNBOUNDED);
    clock.advance(SWEEP_MS);
    await eventually('a look', () => one.held === 2);
    // Too late to be seen.
    await two.release('l', 'b', UNBOUNDED);
    await rawExchange(address, 'flush_all\r\n');
    assert.deepEqual(await one.leases.active('l', UNBOUNDED), { status: 'done', active: 2 });
  },
);

onEachBackend(
  'lost leases: a release that comes before another proxy puts the lease back counts in the end, unless the call has begun again',
  async (t, { address }) => {
    const clock = new FakeClock();
    const one = limitsOf(t, clientOf(t, [address])).leases;
    const two = limitsOf(t, clientOf(t, [address]), { clock }).leases;
    const options = { max: 3, ttl: 60 };
    for (const id of ['over', 'again', 'other']) await one.acquire('l', { ...options, id }, UNBOUNDED);
    await rawExchange(address, 'flush_all\r\n');
    for (const id of ['over', 'again']) {
      assert.deepEqual(await two.release('l', id, UNBOUNDED), { status: 'missing', active: 0 });
    }
    assert.deepEqual(await one.active('l', UNBOUNDED), { status: 'done', active: 3 });
    await two.acquire('l', { ...options, id: 'again' }, UNBOUNDED);
    clock.advance(RELEASE_AGAIN_MS);
    await eventually('the release', async () => {
      const outcome = await one.active('l', UNBOUNDED);
      return outcome.status === 'done' && outcome.active === 2;
    });
    assert.equal((await one.release('l', 'again', UNBOUNDED)).status, 'released');
    assert.equal((await one.release('l', 'over', UNBOUNDED)).status, 'missing');
  },
);

onEachBackend('lost leases: releases that are sent again have a bound', async (t, { address }) => {
  const clock = new FakeClock();
  const { leases } = limitsOf(t, clientOf(t, [address]), { clock });
  const before = clock.pending;
  const stray = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => leases.release('l', `stray-${i}`, UNBOUNDED)));
  await stray(MAX_RELEASES_AGAIN);
  assert.equal((await stray(5)).at(-1)?.status, 'missing');
  assert.equal(clock.pending - before, MAX_RELEASES_AGAIN);
  clock.advance(RELEASE_AGAIN_MS);
  await eventually('sent again', async () => (await leases.active('l', UNBOUNDED)).status === 'done');
  assert.equal(clock.pending, before);
});

test('lost leases: each limit is looked at once in a while, some of them at a time', () => {
  const clock = new FakeClock();
  const limits = Array.from({ length: 25 }, (_, i) => String(i));
  let looks: string[] = [];
  const sweep = new HeldSweep(
    clock,
    () => limits,
    (limit) => looks.push(limit),
  );
  clock.advance(SWEEP_MS / 10);
  assert.equal(looks.length, 3);
  clock.advance((SWEEP_MS * 9) / 10);
  assert.deepEqual(new Set(looks), new Set(limits));
  looks = [];
  sweep.stop();
  clock.advance(SWEEP_MS);
  assert.deepEqual(looks, []);
});

test('lost leases: they are put back at once when a connection ends, and not more often than each second', () => {
  const clock = new FakeClock();
  const runs: number[] = [];
  const timer = new RepublishTimer(clock, () => runs.push(clock.now()));
  timer.request();
  timer.request();
  timer.request();
  clock.advance(REPUBLISH_MIN_MS * 5);
  timer.request();
  assert.deepEqual(runs, [0, REPUBLISH_MIN_MS, REPUBLISH_MIN_MS * 5]);
  timer.request();
  timer.stop();
  clock.advance(REPUBLISH_MIN_MS * 5);
  assert.equal(runs.length, 3);
});
