import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  emptyLeases,
  extendLease,
  leaseId,
  printLeases,
  WHOLE_CALL,
} from '../../modules/memcached/limits/lease-set.ts';
import { QUICK_ROUNDS } from '../../modules/memcached/limits/lease-table.ts';
import type { Leases } from '../../modules/memcached/limits/leases.ts';
import { Budget } from '../../modules/memcached/patience.ts';
import { type Rig, rigOf, TIMEOUT_MS } from './fault-rig.ts';
import { limitsOf } from './limits-rig.ts';

const NOW_MS = 1_800_000_000_000;
const HALF_MS = TIMEOUT_MS / 2;
const OPTIONS = { max: 5, ttl: 60, id: 'call' };
const POLICIES = ['open', 'closed', 'local'] as const;

let values = 0;

/** The answer to `gets` while these calls have places. */
function valueOf(...ids: readonly string[]): string {
  const set = emptyLeases('generati', NOW_MS);
  for (const id of ids) extendLease(set, leaseId(id), WHOLE_CALL, NOW_MS + 60_000);
  const text = printLeases(set);
  return `VALUE lease:l 1 ${text.length} ${++values}\r\n${text}\r\nEND\r\n`;
}

async function contended(t: Parameters<typeof rigOf>[0]): Promise<Rig & { readonly leases: Leases }> {
  const rig = await rigOf(t);
  const { leases } = limitsOf(t, rig.client, { clock: rig.clock, nowMs: () => NOW_MS });
  return { ...rig, leases };
}

/** Another process is faster, once, and half of the time of an operation passes. */
async function loseRace({ server, clock }: Rig): Promise<void> {
  await server.received('gets lease:l\r\n');
  server.write(valueOf('other'));
  await server.received('cas lease:l 1 ');
  clock.advance(HALF_MS);
  server.write('EXISTS\r\n');
  await server.received('gets lease:l\r\n');
}

for (const onDown of POLICIES) {
  test(`contention: a call that others are faster than all the time gets no place while the store answers, with ${onDown}`, async (t) => {
    const rig = await contended(t);
    const asking = rig.leases.acquire('l', { ...OPTIONS, onDown }, {});
    await loseRace(rig);
    rig.clock.advance(HALF_MS);
    assert.deepEqual(await asking, { status: 'full', active: 1, countedBy: 'cluster', busy: true });
  });
}

test('contention: a budget that ends meanwhile grants nothing either, and who gives up is told so', async (t) => {
  const rig = await contended(t);
  const abort = new AbortController();
  const budget = new Budget(rig.clock, TIMEOUT_MS - 1);
  const asking = rig.leases.acquire('l', OPTIONS, { budget });
  const aborted = rig.leases.acquire('l', OPTIONS, { signal: abort.signal });
  const renewing = rig.leases.renew('l', 'other', { ttl: 90 }, { budget });
  await loseRace(rig);
  abort.abort();
  rig.clock.advance(HALF_MS - 1);
  assert.equal((await asking).status, 'full');
  assert.deepEqual(await aborted, { status: 'down', reason: 'aborted' });
  assert.deepEqual(await renewing, { status: 'down', reason: 'others changed the limit each time' });
});

test('contention: who waits behind a change of this process that the store has taken gets no place by itself', async (t) => {
  const { server, clock, leases } = await contended(t);
  const first = leases.acquire('l', { ...OPTIONS, id: 'first' }, {});
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 ');
  const second = leases.acquire('l', OPTIONS, {});
  clock.advance(HALF_MS);
  server.write('STORED\r\n');
  assert.equal((await first).status, 'acquired');
  await server.received('gets lease:l\r\n');
  clock.advance(HALF_MS);
  assert.deepEqual(await second, { status: 'full', active: 1, countedBy: 'cluster', busy: true });
});

test('contention: from the second attempt on the next look leaves with it, and decides what was asked for before', async (t) => {
  const rig = await contended(t);
  const { server, leases } = rig;
  const asking = leases.acquire('l', { ...OPTIONS, max: 2 }, {});
  await loseRace(rig);
  server.write(valueOf('other'));
  await server.received('cas lease:l 1 ');
  await server.received('gets lease:l\r\n');
  assert.match(server.chunks.at(-1) ?? '', /^cas lease:l [^]*\r\ngets lease:l\r\n$/);
  // It comes after that look, and has one of its own.
  const late = leases.active('l', {});
  server.write(`EXISTS\r\n${valueOf('other', 'another')}`);
  assert.deepEqual(await asking, { status: 'full', active: 2, countedBy: 'cluster' });
  await server.received('gets lease:l\r\n');
  server.write(valueOf());
  assert.deepEqual(await late, { status: 'done', active: 0 });
});

test('contention: a release goes on until it is done, and after many attempts not at once', async (t) => {
  const { server, client, clock, leases } = await contended(t);
  const releasing = leases.release('l', 'call', {});
  await server.received('gets lease:l\r\n');
  for (let round = 0; round <= QUICK_ROUNDS; round++) {
    server.write(valueOf('call'));
    await server.received('cas lease:l 1 ');
    server.write('EXISTS\r\n');
    if (round < QUICK_ROUNDS) await server.received('gets lease:l\r\n');
  }
  // Answered after the last EXISTS, so that this has been read.
  const reading = client.read('k');
  await server.received('get k\r\n');
  server.write('END\r\n');
  await reading;
  clock.advance(TIMEOUT_MS);
  assert.deepEqual(await releasing, { status: 'down', reason: 'others changed the limit each time' });
  await server.received('gets lease:l\r\n');
  server.write(valueOf('call'));
  await server.received('cas lease:l 1 ');
  server.write('STORED\r\n');
  assert.equal(Object.values(client.statistics())[0]?.journal.waiting, 0);
});
