import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PROBE_MIN_MS } from '../../modules/memcached/breaker.ts';
import { MAX_READ_BYTES } from '../../modules/memcached/reply-reader.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { freePort } from '../programs/free-port.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { FakeServer } from './fake-server.ts';
import { assertDown, assertRecovers, rigOf, TIMEOUT_MS } from './fault-rig.ts';
import { clientOf } from './rig.ts';

test('outages: refused: one line when it goes down, one when it answers, none per operation', async (t) => {
  const port = await freePort();
  const clock = new FakeClock();
  const log = recordedLog();
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port }], {
    clock,
    log,
    timeoutMs: TIMEOUT_MS,
  });
  await client.start();
  for (let i = 0; i < 100; i++) assertDown(await client.read('k'), /ECONNREFUSED/);
  const messages = log.lines.map(({ level, message }) => `${level} ${message}`);
  assert.equal(messages.length, 1);
  assert.match(messages[0] ?? '', /^warn memcached 127\.0\.0\.1:\d+ is down: connect ECONNREFUSED/);
});

test('outages: while the breaker is open nothing is sent; after a good probe all goes on', async (t) => {
  const rig = await rigOf(t);
  const reading = rig.client.read('k');
  await rig.server.received('get k\r\n');
  rig.server.reset();
  assert.equal((await reading).status, 'down');
  const before = rig.server.chunks.length;
  for (let i = 0; i < 10; i++) assert.equal((await rig.client.read('k')).status, 'down');
  await turn();
  assert.equal(rig.server.chunks.length, before);
  await assertRecovers(rig);
  assert.deepEqual(
    rig.logged().map((line) => line.replace(/:\d+ .*/, '')),
    ['warn memcached 127.0.0.1', 'notice memcached 127.0.0.1'],
  );
});

test('outages: a failed probe keeps the breaker open, silently', async (t) => {
  const { server, client, clock, logged } = await rigOf(t);
  const reading = client.read('k');
  await server.received('get k\r\n');
  server.reset();
  await reading;
  clock.advance(PROBE_MIN_MS);
  await server.received('version\r\n');
  clock.advance(TIMEOUT_MS);
  await turn();
  await turn();
  assertDown(await client.read('k'), /no answer within the timeout/);
  assert.equal(logged().length, 1);
});

test('outages: an idle connection that the server closes costs nothing', async (t) => {
  const { server, client, logged } = await rigOf(t);
  for (let round = 0; round < 3; round++) {
    const reading = client.read('k');
    await server.received('get k\r\n');
    server.close('END\r\n');
    assert.deepEqual(await reading, { status: 'miss' });
    await server.ended(round + 1);
  }
  assert.deepEqual([server.connections, logged()], [3, []]);
});

test('outages: SERVER_ERROR fails the operation and keeps the connection; the log says so once a minute', async (t) => {
  const { server, client, clock, logged } = await rigOf(t);
  const refused = async (): Promise<void> => {
    const writing = client.write('k', 'v');
    await server.received('set k 1 100 1\r\nv\r\n');
    server.write('SERVER_ERROR out of memory storing object\r\n');
    assert.match(JSON.stringify(await writing), /down.*out of memory/);
  };
  await refused();
  await refused();
  const reading = client.read('k');
  await server.received('get k\r\n');
  server.write('END\r\n');
  assert.deepEqual(await reading, { status: 'miss' });
  assert.equal(server.connections, 1);
  assert.equal(logged().length, 1);
  assert.match(
    logged()[0] ?? '',
    /^warn .* refuses what it is asked: SERVER_ERROR out of memory storing object/,
  );
  clock.advance(60_000);
  await refused();
  assert.equal(logged().length, 2);
});

test("outages: a value too large for the server's own limit is too large, limit unknown", async (t) => {
  const { server, client } = await rigOf(t);
  const writing = client.write('k', 'v');
  await server.received('v\r\n');
  server.write('SERVER_ERROR object too large for cache\r\n');
  assert.deepEqual(await writing, { status: 'too-large', size: 1, limit: null });
});

test('outages: a value larger than may be read is skipped, and the next answer found', async (t) => {
  const { server, client } = await rigOf(t);
  const reading = Promise.all([client.read('k'), client.read('next')]);
  await server.received('get k next\r\n');
  const size = MAX_READ_BYTES + 1;
  server.write(`VALUE k 1 ${size}\r\n${'x'.repeat(size)}\r\nVALUE next 1 2\r\nok\r\nEND\r\n`);
  const [first, second] = await reading;
  assertDown(first, /value of 1048577 bytes, more than 1048576/);
  assert.deepEqual(second, { status: 'hit', value: 'ok' });
});

test('outages: with one of two servers down, its keys fail at once and the others are served', async (t) => {
  const server = await FakeServer.start(t);
  const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  const client = clientOf(t, [server.address, dead], { clock: new FakeClock(), timeoutMs: TIMEOUT_MS });
  const starting = client.start();
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  await starting;
  const outcomes = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const reading = client.read(`key:${i}`);
    const first = await Promise.race([server.received(`get key:${i}\r\n`), reading]);
    if (first === undefined) server.write('END\r\n');
    outcomes.add((await reading).status);
  }
  assert.deepEqual([...outcomes].toSorted(), ['down', 'miss']);
});
