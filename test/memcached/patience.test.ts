import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Avps } from '../../core/index.ts';
import { memcached } from '../../modules/memcached/memcached.ts';
import { Budget } from '../../modules/memcached/patience.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { callOf, fakeCore, request } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';
import { FakeServer } from './fake-server.ts';
import { assertDown, rigOf, TIMEOUT_MS } from './fault-rig.ts';
import { limitsOf } from './limits-rig.ts';

test('budget: operations one after the other use it up, and those beyond it fail at once', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const budget = new Budget(clock, 300);
  const first = client.read('a', { budget });
  await server.received('get a\r\n');
  clock.advance(200);
  server.write('END\r\n');
  assert.deepEqual(await first, { status: 'miss' });
  assert.equal(budget.leftMs, 100);
  // What passes between operations is not waiting.
  clock.advance(5000);
  assert.equal(budget.leftMs, 100);
  const second = client.read('b', { budget });
  await server.received('get b\r\n');
  clock.advance(100);
  assertDown(await second, /^the budget of 300 ms of this transaction is used up$/);
  assertDown(await client.read('c', { budget }), /budget/);
  // The connection is not to blame: the late answer is skipped, and the next operation served.
  server.write('VALUE b 1 4\r\nlate\r\nEND\r\n');
  const other = client.read('d');
  await server.received('get d\r\n');
  server.write('VALUE d 1 4\r\ngood\r\nEND\r\n');
  assert.deepEqual(await other, { status: 'hit', value: 'good' });
  assert.deepEqual([server.connections, server.chunks.join('').includes('get c')], [1, false]);
});

test('budget: operations side by side count once', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const budget = new Budget(clock, 300);
  const reading = Promise.all([client.read('a', { budget }), client.read('b', { budget })]);
  await server.received('get a b\r\n');
  clock.advance(100);
  server.write('END\r\n');
  await reading;
  assert.equal(budget.leftMs, 200);
});

test('budget: a release is sent even when it is used up', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const budget = new Budget(clock, 0);
  const outcomes = await Promise.all([client.remove('k', { budget }), client.decrement('n', 1, { budget })]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['down', 'down'],
  );
  await server.received('delete k\r\ndecr n 1\r\n');
});

test('budget: one for each transaction, whatever its handlers ask for', async (t) => {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const { address } = server;
  const params = {
    ...defaultParams(),
    servers: address.kind === 'tcp' ? `${address.host}:${address.port}` : '',
    expire: 0,
    timeout: TIMEOUT_MS,
    budget: TIMEOUT_MS,
    journal: 0,
  };
  const state = memcached.init({ params, core: { ...fakeCore(), clock }, log: recordedLog(), deps: {} });
  t.after(() => memcached.stop?.(state));
  const starting = memcached.start?.(state);
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  await starting;

  const { read } = memcached.functions;
  const { $mct } = memcached.pseudoVariables;
  const request1 = callOf(state, request());
  const slow = read.call(request1, 'a');
  await server.received('get a\r\n');
  clock.advance(200);
  server.write('END\r\n');
  assert.deepEqual(await slow, { status: 'miss' });
  const other = $mct.get(request1, 'b');
  await server.received('get b\r\n');
  clock.advance(50);
  assert.equal(await other, null);
  assertDown(await read.call(request1, 'c'), /budget of 250 ms/);
  server.write('END\r\n');
  const request2 = callOf(state, request());
  assert.notEqual(request2.scope.avps, request1.scope.avps);
  assert.ok(request2.scope.avps instanceof Avps);
  const fresh = read.call(request2, 'd');
  await server.received('get d\r\n');
  server.write('END\r\n');
  assert.deepEqual(await fresh, { status: 'miss' });
});

test('budget: the limits keep to it, and their policy decides', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const { leases, rates } = limitsOf(t, client, { clock });
  const budget = new Budget(clock, 100);
  const asking = leases.acquire('l', { max: 1, ttl: 60, id: 'a' }, { budget });
  await server.received('gets lease:l\r\n');
  clock.advance(100);
  assert.deepEqual(await asking, { status: 'acquired', active: 1, countedBy: 'local' });
  const rate = await rates.rate('r', { limit: 1, per: 'second', onDown: 'closed' }, { budget });
  assert.match(JSON.stringify(rate), /down.*budget/);
});

test('abort: ends the waiting at once, and the connection goes on', async (t) => {
  const { server, client } = await rigOf(t);
  const abort = new AbortController();
  const reading = client.read('a', { signal: abort.signal });
  await server.received('get a\r\n');
  abort.abort();
  assertDown(await reading, /^aborted$/);
  assertDown(await client.read('b', { signal: abort.signal }), /^aborted$/);
  server.write('END\r\n');
  const other = client.read('c');
  await server.received('get c\r\n');
  server.write('END\r\n');
  assert.deepEqual(await other, { status: 'miss' });
  assert.deepEqual([server.connections, server.chunks.join('').includes('get b')], [1, false]);
});

test('abort: an acquire that was aborted takes no place', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const { leases } = limitsOf(t, client, { clock });
  const abort = new AbortController();
  const options = { max: 1, ttl: 60, id: 'a' };
  const asking = leases.acquire('l', options, { signal: abort.signal });
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 ');
  abort.abort();
  assert.deepEqual(await asking, { status: 'down', reason: 'aborted' });
  server.write('STORED\r\n');
  // It was stored, and is given back.
  await server.received('gets lease:l\r\n');
  await turn();
});

test('abort: of two forks of a call one that was aborted leaves the other its place', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const { leases } = limitsOf(t, client, { clock });
  const abort = new AbortController();
  const options = { max: 1, ttl: 60, id: 'a' };
  const aborted = leases.acquire('l', options, { signal: abort.signal });
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('add lease:l 1 61 50\r\n');
  const [, stored = ''] = server.chunks.join('').split('add lease:l 1 61 50\r\n');
  abort.abort();
  assert.equal((await aborted).status, 'down');
  const other = leases.acquire('l', options, {});
  server.write('STORED\r\n');
  // The other fork and the giving back are one change: it keeps the lease.
  await server.received('gets lease:l\r\n');
  server.write(`VALUE lease:l 1 50 7\r\n${stored.slice(0, 50)}\r\nEND\r\n`);
  await server.received('cas lease:l 1 61 50 7\r\n');
  server.write('STORED\r\n');
  assert.deepEqual(await other, { status: 'acquired', active: 1, countedBy: 'cluster' });
});
