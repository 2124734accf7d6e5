import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROBE_MIN_MS } from '../../modules/memcached/breaker.ts';
import { type JournalStatistics, RETRY_MIN_MS } from '../../modules/memcached/journal.ts';
import { MAX_PENDING_COMMANDS } from '../../modules/memcached/server.ts';
import { JOURNAL, type Rig, rigOf } from './fault-rig.ts';
import { eventually, limitsOf } from './limits-rig.ts';

function figures({ client }: Rig): JournalStatistics | undefined {
  return Object.values(client.statistics())[0]?.journal;
}

/** Has the server hang up on a read, so that the breaker opens. */
async function breakDown({ client, server }: Rig): Promise<void> {
  const reading = client.read('k');
  await server.received('get k\r\n');
  server.reset();
  assert.equal((await reading).status, 'down');
}

/** Lets the breaker probe, and answers the probe. */
async function comeBack({ clock, server }: Rig): Promise<void> {
  clock.advance(PROBE_MIN_MS);
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
}

test('journal: releases of an outage are sent in order when the server answers again, before anything else', async (t) => {
  const rig = await rigOf(t);
  const { client, server } = rig;
  await breakDown(rig);
  for (const outcome of [
    await client.decrement('a', 1),
    await client.remove('b'),
    await client.decrement('a', 2),
  ]) {
    assert.equal(outcome.status === 'down' && outcome.journaled, true);
  }
  assert.deepEqual(figures(rig), { waiting: 3, replayed: 0, overflowed: 0, inDoubt: 0 });
  await comeBack(rig);
  await server.received('decr a 1\r\ndelete b\r\ndecr a 2\r\n');
  server.write('5\r\nDELETED\r\n3\r\n');
  const reading = client.read('after');
  await server.received('get after\r\n');
  server.write('END\r\n');
  assert.deepEqual(await reading, { status: 'miss' });
  assert.deepEqual(figures(rig), { waiting: 0, replayed: 3, overflowed: 0, inDoubt: 0 });
  assert.ok(rig.logged().some((line) => /^notice .*: sending 3 releases that were kept$/.test(line)));
});

test('journal: what is no release is not kept', async (t) => {
  const rig = await rigOf(t);
  await breakDown(rig);
  await Promise.all([rig.client.increment('a', 1), rig.client.write('b', 1), rig.client.count('c').add(1)]);
  assert.equal(figures(rig)?.waiting, 0);
});

test('journal: a decrement in doubt is not sent twice, a delete is; one that never left is kept', async (t) => {
  const rig = await rigOf(t);
  const { client, server } = rig;
  const sent = [client.decrement('a', 1), client.remove('b')];
  await server.received('decr a 1\r\ndelete b\r\n');
  // Queued in this turn, and lost before it leaves.
  server.reset();
  assert.deepEqual(
    (await Promise.all(sent)).map((outcome) => outcome.status === 'down' && outcome.journaled === true),
    [false, true],
  );
  assert.deepEqual(figures(rig), { waiting: 1, replayed: 0, overflowed: 0, inDoubt: 1 });
  await comeBack(rig);
  await server.received('delete b\r\n');
  server.write('NOT_FOUND\r\n');
  assert.ok(!server.chunks.slice(1).join('').includes('decr'));
});

test('journal: releases that wait for a connection which never comes were not sent, and are kept', async (t) => {
  const rig = await rigOf(t);
  rig.server.stop();
  const outcome = await rig.client.decrement('a', 1);
  assert.equal(outcome.status === 'down' && outcome.journaled, true);
  assert.deepEqual(figures(rig), { waiting: 1, replayed: 0, overflowed: 0, inDoubt: 0 });
});

test('journal: what fails again on its way is kept again', async (t) => {
  const rig = await rigOf(t);
  const { client, server } = rig;
  await breakDown(rig);
  await client.remove('b');
  await comeBack(rig);
  await server.received('delete b\r\n');
  server.reset();
  await eventually('second outage', () => figures(rig)?.waiting === 1);
  rig.clock.advance(PROBE_MIN_MS * 2);
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  await server.received('delete b\r\n');
  server.write('DELETED\r\n');
  assert.equal(figures(rig)?.replayed, 2);
});

test('journal: one release more than it takes is lost, counted, and logged once', async (t) => {
  const rig = await rigOf(t);
  await breakDown(rig);
  for (let i = 0; i < JOURNAL + 2; i++) {
    const outcome = await rig.client.remove(`k${i}`);
    assert.equal(outcome.status === 'down' && outcome.journaled === true, i < JOURNAL);
  }
  assert.deepEqual(figures(rig), { waiting: JOURNAL, replayed: 0, overflowed: 2, inDoubt: 0 });
  assert.equal(rig.logged().filter((line) => line.includes('journal is full with 3 releases')).length, 1);
});

test('journal: a full queue has room for so many releases more, in their order', async (t) => {
  const rig = await rigOf(t);
  const { client, server } = rig;
  const waiting = Array.from({ length: MAX_PENDING_COMMANDS }, () => client.touch('k', 60));
  const release = client.remove('k');
  const refused = await client.read('k');
  assert.match(JSON.stringify(refused), /queue full/);
  await server.received('delete k\r\n');
  server.write(`${'TOUCHED\r\n'.repeat(MAX_PENDING_COMMANDS)}DELETED\r\n`);
  assert.deepEqual(await release, { status: 'removed' });
  await Promise.all(waiting);
});

test('journal: what a server that answers did not take is sent a second later, and again after twice as long', async (t) => {
  const rig = await rigOf(t);
  const { client, clock, server } = rig;
  const waiting = Array.from({ length: MAX_PENDING_COMMANDS }, () => client.touch('k', 60));
  const releases = Array.from({ length: JOURNAL }, () => client.decrement('a', 1));
  const late = await client.decrement('b', 1);
  assert.equal(late.status === 'down' && late.journaled, true);
  await server.received('touch k 60\r\n');
  server.write('TOUCHED\r\n'.repeat(MAX_PENDING_COMMANDS));
  await Promise.all(waiting);
  await server.received('decr a 1\r\n'.repeat(JOURNAL));
  server.write('5\r\n'.repeat(JOURNAL));
  await Promise.all(releases);
  clock.advance(RETRY_MIN_MS - 1);
  assert.equal(figures(rig)?.waiting, 1);
  clock.advance(1);
  await server.received('decr b 1\r\n');
  server.write('4\r\n');
  await eventually('sent', () => figures(rig)?.waiting === 0);
  assert.deepEqual(figures(rig), { waiting: 0, replayed: 1, overflowed: 0, inDoubt: 0 });
});

test('journal: a decrement for which a full server found no memory is sent again', async (t) => {
  const rig = await rigOf(t);
  const { client, clock, server } = rig;
  const counting = client.decrement('a', 1);
  await server.received('decr a 1\r\n');
  server.write('SERVER_ERROR out of memory\r\n');
  assert.deepEqual(await counting, {
    status: 'down',
    reason: 'the server answered: SERVER_ERROR out of memory',
    journaled: true,
  });
  clock.advance(RETRY_MIN_MS);
  await server.received('decr a 1\r\n');
  server.write('4\r\n');
  await eventually('sent', () => figures(rig)?.waiting === 0);
  assert.deepEqual(figures(rig), { waiting: 0, replayed: 1, overflowed: 0, inDoubt: 0 });
});

test('journal: a delete that is never answered is given up, so that the server can answer others', async (t) => {
  const rig = await rigOf(t);
  const { client, clock, server } = rig;
  const removing = client.remove('b');
  for (let times = 1; ; times += 1) {
    await server.received('delete b\r\n');
    server.reset();
    if (times === 1) assert.equal((await removing).status, 'down');
    await eventually('kept or given up', () => {
      const { waiting, inDoubt } = figures(rig) ?? { waiting: 0, inDoubt: 0 };
      return waiting + inDoubt === 1;
    });
    if (times === 5) break;
    assert.equal(figures(rig)?.waiting, 1);
    clock.advance(PROBE_MIN_MS * 2 ** (times - 1));
    await server.received('version\r\n');
    server.write('VERSION 1\r\n');
  }
  assert.deepEqual(figures(rig), { waiting: 0, replayed: 4, overflowed: 0, inDoubt: 1 });
});

test('journal: a lease that a full server would not let go is given back when there is room again', async (t) => {
  const rig = await rigOf(t);
  const { client, clock, server } = rig;
  const { leases } = limitsOf(t, client, { clock });
  const releasing = leases.release('l', 'call', {});
  await server.received('gets lease:l\r\n');
  server.write('SERVER_ERROR out of memory\r\n');
  const outcome = await releasing;
  assert.equal(outcome.status === 'down' && outcome.journaled, true);
  clock.advance(RETRY_MIN_MS);
  await server.received('gets lease:l\r\n');
  server.write('SERVER_ERROR out of memory\r\n');
  await eventually('kept again', () => figures(rig)?.waiting === 1);
  clock.advance(RETRY_MIN_MS);
  assert.equal(figures(rig)?.waiting, 1);
  clock.advance(RETRY_MIN_MS);
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await eventually('given back', () => figures(rig)?.waiting === 0);
});

test('journal: a lease released during an outage is given back after it', async (t) => {
  const rig = await rigOf(t);
  const { server } = rig;
  const { leases } = limitsOf(t, rig.client, { clock: rig.clock });
  await breakDown(rig);
  const outcome = await leases.release('l', 'call', {});
  assert.equal(outcome.status === 'down' && outcome.journaled, true);
  await comeBack(rig);
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  assert.equal(figures(rig)?.replayed, 1);
});

test('journal: a lease granted while the store was down counts after it', async (t) => {
  const rig = await rigOf(t);
  const { server } = rig;
  const { leases } = limitsOf(t, rig.client, { clock: rig.clock });
  await breakDown(rig);
  const options = { max: 1, ttl: 60 };
  assert.deepEqual(await leases.acquire('l', { ...options, id: 'a' }, {}), {
    status: 'acquired',
    active: 1,
    countedBy: 'local',
  });
  assert.equal((await leases.acquire('l', { ...options, id: 'b' }, {})).status, 'full');
  const open = await leases.acquire('m', { ...options, id: 'b', onDown: 'open' }, {});
  assert.deepEqual(open, { status: 'acquired', active: 1, countedBy: 'nobody' });
  assert.equal((await leases.acquire('n', { ...options, id: 'b', onDown: 'closed' }, {})).status, 'down');
  await comeBack(rig);
  await server.received('gets lease:l lease:m\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 ');
});

test('journal: a lease renewed while the store was down lasts longer after it; one that is not held here is not made', async (t) => {
  const rig = await rigOf(t);
  const { server } = rig;
  const { leases } = limitsOf(t, rig.client, { clock: rig.clock, nowMs: () => 0 });
  const asking = leases.acquire('l', { max: 1, ttl: 60, id: 'a' }, {});
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 61 50\r\n');
  const [, stored = ''] = server.chunks.join('').split('add lease:l 1 61 50\r\n');
  server.write('STORED\r\n');
  assert.equal((await asking).status, 'acquired');
  await breakDown(rig);
  for (const id of ['a', 'b']) assert.equal((await leases.renew('l', id, { ttl: 100 }, {})).status, 'down');
  await comeBack(rig);
  await server.received('gets lease:l\r\n');
  server.write(`VALUE lease:l 1 50 7\r\n${stored.slice(0, 50)}\r\nEND\r\n`);
  await server.received('cas lease:l 1 101 50 7\r\n');
});

test('journal: a lease that was refused, and may be there all the same, is given back', async (t) => {
  const rig = await rigOf(t);
  const { server } = rig;
  const { leases } = limitsOf(t, rig.client, { clock: rig.clock });
  const asking = leases.acquire('l', { max: 1, ttl: 60, id: 'a', onDown: 'closed' }, {});
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 ');
  server.reset();
  assert.equal((await asking).status, 'down');
  await comeBack(rig);
  await server.received('gets lease:l\r\n');
});
