import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATEST_END_MS } from '../../modules/memcached/limits/lease-set.ts';
import { MAX_WAITING_STEPS } from '../../modules/memcached/limits/lease-table.ts';
import { MAX_LEASES } from '../../modules/memcached/limits/options.ts';
import type { AcquireOutcome } from '../../modules/memcached/limits/outcome.ts';
import { rigOf } from './fault-rig.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { limitsOf, onEachBackend } from './limits-rig.ts';
import { clientOf, rawExchange } from './rig.ts';

const UNBOUNDED = {};
const DAY_MS = 86_400_000;

/** A value that the types do not allow: routes in plain JavaScript pass such. */
function anything(value: string): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the point
  return value as never;
}

function nothing(): null {
  return null;
}

function acquired(active: number): AcquireOutcome {
  return { status: 'acquired', active, countedBy: 'cluster' };
}

onEachBackend('leases: grants so many calls and no more', async (t, { address }) => {
  const { leases } = limitsOf(t, clientOf(t, [address]));
  const options = { max: 2, ttl: 60 };
  assert.deepEqual(await leases.acquire('l', { ...options, id: 'a' }, UNBOUNDED), acquired(1));
  assert.deepEqual(await leases.acquire('l', { ...options, id: 'b' }, UNBOUNDED), acquired(2));
  assert.deepEqual(await leases.acquire('l', { ...options, id: 'c' }, UNBOUNDED), {
    status: 'full',
    active: 2,
    countedBy: 'cluster',
  });
  assert.deepEqual(await leases.acquire('other', { ...options, id: 'c' }, UNBOUNDED), acquired(1));
});

onEachBackend(
  'leases: a call counts once, whichever proxy asks, and is released once',
  async (t, { address }) => {
    const one = limitsOf(t, clientOf(t, [address])).leases;
    const two = limitsOf(t, clientOf(t, [address])).leases;
    const options = { max: 2, ttl: 60, id: 'a' };
    for (const leases of [one, one, two]) {
      assert.deepEqual(await leases.acquire('l', options, UNBOUNDED), acquired(1));
    }
    assert.deepEqual(await two.release('l', 'a', UNBOUNDED), { status: 'released', active: 0 });
    assert.deepEqual(await one.release('l', 'a', UNBOUNDED), { status: 'missing', active: 0 });
    // The one who acquired it does not put back what another has released.
    assert.deepEqual(await one.active('l', UNBOUNDED), { status: 'done', active: 0 });
    assert.deepEqual(await one.acquire('l', { ...options, id: 'b' }, UNBOUNDED), acquired(1));
  },
);

onEachBackend(
  'leases: a fork that is refused does not free the place that another fork of the call has',
  async (t, { address }) => {
    const one = limitsOf(t, clientOf(t, [address])).leases;
    const two = limitsOf(t, clientOf(t, [address])).leases;
    const options = { max: 1, ttl: 60, id: 'a' };
    assert.deepEqual(await one.acquire('l', options, UNBOUNDED, 'wins'), acquired(1));
    assert.deepEqual(await two.acquire('l', options, UNBOUNDED, 'fail'), acquired(1));
    assert.deepEqual(await one.acquire('l', options, UNBOUNDED, 'lost'), acquired(1));
    for (const [leases, fork] of [
      [two, 'fail'],
      [one, 'lost'],
    ] as const) {
      for (const _ of ['once', 'again']) {
        assert.deepEqual(await leases.release('l', 'a', UNBOUNDED, fork), { status: 'kept', active: 1 });
      }
    }
    await rawExchange(address, 'flush_all\r\n');
    assert.deepEqual(await two.active('l', UNBOUNDED), { status: 'done', active: 0 });
    assert.deepEqual(await one.active('l', UNBOUNDED), { status: 'done', active: 1 });
    assert.equal((await two.renew('l', 'a', { ttl: 60 }, UNBOUNDED)).status, 'renewed');
    // The BYE is of no fork: it ends the call.
    assert.deepEqual(await two.release('l', 'a', UNBOUNDED), { status: 'released', active: 0 });
    assert.deepEqual(await one.active('l', UNBOUNDED), { status: 'done', active: 0 });
  },
);

onEachBackend('leases: a call ends with its last fork', async (t, { address }) => {
  const { leases } = limitsOf(t, clientOf(t, [address]));
  const options = { max: 1, ttl: 60, id: 'a' };
  for (const fork of ['one ', 'two ']) await leases.acquire('l', options, UNBOUNDED, fork);
  assert.deepEqual(await leases.release('l', 'a', UNBOUNDED, 'one '), { status: 'kept', active: 1 });
  assert.equal((await leases.acquire('l', { ...options, id: 'b' }, UNBOUNDED)).status, 'full');
  assert.deepEqual(await leases.release('l', 'a', UNBOUNDED, 'two '), { status: 'released', active: 0 });
  assert.deepEqual(await leases.acquire('l', { ...options, id: 'b' }, UNBOUNDED), acquired(1));
});

onEachBackend(
  'leases: one that is not renewed ends by itself, one that is lives on',
  async (t, { address }) => {
    let nowMs = 1_800_000_000_000;
    const { leases } = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs });
    await leases.acquire('l', { max: 5, ttl: 10, id: 'crashed' }, UNBOUNDED);
    await leases.acquire('l', { max: 5, ttl: 10, id: 'alive' }, UNBOUNDED);
    nowMs += 9999;
    assert.deepEqual(await leases.renew('l', 'alive', { ttl: 10 }, UNBOUNDED), {
      status: 'renewed',
      active: 2,
    });
    nowMs += 1;
    assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'done', active: 1 });
    nowMs += 10_000;
    assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'done', active: 0 });
  },
);

onEachBackend('leases: calls of one turn share two round trips', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const { leases } = limitsOf(t, client);
  const ids = Array.from({ length: 100 }, (_, i) => `call${i}`);
  const outcomes = await Promise.all(
    ids.map((id) => leases.acquire('l', { max: 60, ttl: 60, id }, UNBOUNDED)),
  );
  assert.equal(outcomes.filter(({ status }) => status === 'acquired').length, 60);
  assert.equal(outcomes.filter(({ status }) => status === 'full').length, 40);
  await Promise.all(ids.slice(0, 60).map((id) => leases.release('l', id, UNBOUNDED)));
  const [statistics] = Object.values(client.statistics());
  assert.deepEqual([statistics?.gets.hits, statistics?.gets.misses], [1, 1]);
  assert.deepEqual([statistics?.add.hits, statistics?.cas.hits], [1, 1]);
  assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'done', active: 0 });
});

onEachBackend(
  'leases: a proxy whose clock is far ahead does not empty the limit, nor fill it for longer than a week',
  async (t, { address }) => {
    const log = recordedLog();
    const startMs = 1_800_000_000_000;
    let nowMs = startMs;
    const ahead = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs + 40 * DAY_MS }).leases;
    const { leases } = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs, log });
    const other = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs }).leases;
    const options = { max: 5, ttl: 60 };
    assert.deepEqual(await ahead.acquire('l', { ...options, id: 'ahead' }, UNBOUNDED), acquired(1));
    for (const [index, id] of ['a', 'b'].entries()) {
      assert.deepEqual(await leases.acquire('l', { ...options, id }, UNBOUNDED), acquired(index + 2));
      assert.deepEqual(await other.active('l', UNBOUNDED), { status: 'done', active: index + 2 });
    }
    const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    assert.deepEqual(warnings.length, 1);
    assert.match(warnings[0] ?? '', /lease:l has leases that end 40 days from now/);
    // A limit that is full changes no more, and ends all the same.
    await ahead.acquire('full', { ...options, id: 'ahead' }, UNBOUNDED);
    assert.equal((await leases.acquire('full', { max: 1, ttl: 60, id: 'a' }, UNBOUNDED)).status, 'full');
    nowMs = startMs + LATEST_END_MS;
    assert.equal((await leases.acquire('full', { max: 1, ttl: 60, id: 'a' }, UNBOUNDED)).status, 'acquired');
    assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'done', active: 0 });
  },
);

onEachBackend('leases: a key that holds something else is not overwritten', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const { leases } = limitsOf(t, client);
  await client.write('lease:l', 'mine');
  assert.match(JSON.stringify(await leases.active('l', UNBOUNDED)), /down.*something else/);
  assert.deepEqual(await client.read('lease:l'), { status: 'hit', value: 'mine' });
});

onEachBackend(
  'leases: distinct counts each thing once within the period, and no more than so many',
  async (t, { address }) => {
    let nowMs = 1_800_000_000_000;
    const { leases } = limitsOf(t, clientOf(t, [address]), { nowMs: () => nowMs });
    const options = { max: 2, per: 'minute' } as const;
    const counted = async (item: string): Promise<string> => {
      const outcome = await leases.distinct('user', item, options, UNBOUNDED);
      return outcome.status === 'down' ? outcome.reason : `${outcome.status} ${outcome.count}`;
    };
    assert.equal(await counted('+1'), 'allowed 1');
    assert.equal(await counted('+1'), 'allowed 1');
    assert.equal(await counted('+2'), 'allowed 2');
    assert.equal(await counted('+3'), 'exceeded 2');
    assert.equal(await counted('+2'), 'allowed 2');
    nowMs += 60_000;
    assert.equal(await counted('+3'), 'allowed 1');
  },
);

test('leases: arguments that cannot be are refused', async (t) => {
  const { leases, rates, memory } = limitsOf(t, clientOf(t, [{ kind: 'unix', path: '/nowhere' }]));
  const options = { max: 1, ttl: 60, id: 'a' };
  const code = { code: 'ERR_MEMCACHED_LIMIT' };
  for (const wrong of [
    { max: 0 },
    { max: 1.5 },
    { max: MAX_LEASES + 1 },
    { ttl: 0 },
    { ttl: 604_801 },
    { ttl: Number.NaN },
    { id: null },
    { id: '' },
    { onDown: anything('maybe') },
  ]) {
    await assert.rejects(
      leases.acquire('l', { ...options, ...wrong }, UNBOUNDED),
      code,
      JSON.stringify(wrong),
    );
  }
  await assert.rejects(leases.acquire('', options, UNBOUNDED), code);
  await assert.rejects(leases.release('l', null, UNBOUNDED), code);
  await assert.rejects(leases.distinct('k', null, { max: 1, per: 1 }, UNBOUNDED), code);
  await assert.rejects(rates.rate('k', { limit: 0, per: 'second' }, UNBOUNDED), code);
  await assert.rejects(rates.rate('k', { limit: 1, per: anything('year') }, UNBOUNDED), {
    ...code,
    message: /second, minute, hour, day or seconds above 0, up to 604800, found "year"/,
  });
  await assert.rejects(memory.remember('k', 0, { load: nothing, options: {}, bounds: UNBOUNDED }), code);
});

test('leases: one call more than may wait for leases is not granted, and one that is done makes room', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const { leases } = limitsOf(t, client, { clock });
  const waiting = Array.from({ length: MAX_WAITING_STEPS }, () => leases.active('l', UNBOUNDED));
  assert.deepEqual(await leases.active('l', UNBOUNDED), { status: 'down', reason: 'queue full' });
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await Promise.all(waiting);
  const next = leases.active('l', UNBOUNDED);
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  assert.deepEqual(await next, { status: 'done', active: 0 });
});
