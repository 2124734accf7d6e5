import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { CacheServer, MAX_PENDING_BYTES, MAX_PENDING_COMMANDS } from '../../modules/memcached/server.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { FakeServer } from './fake-server.ts';
import { clientOf } from './rig.ts';

test('limits: all operations of one turn leave in one write', async (t) => {
  const server = await FakeServer.start(t);
  const client = clientOf(t, [server.address], { clock: new FakeClock() });
  const starting = client.start();
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  await starting;
  const write = t.mock.method(Socket.prototype, 'write');
  const running = [client.read('a'), client.write('b', 1), client.increment('c', 1), client.remove('d')];
  await server.received('delete d\r\n');
  assert.deepEqual(
    write.mock.calls.map(({ arguments: [bytes] }) => bytes),
    ['get a\r\nset b 0 100 1\r\n1\r\nincr c 1\r\ndelete d\r\n'],
  );
  server.write('END\r\nSTORED\r\n7\r\nDELETED\r\n');
  assert.deepEqual(
    (await Promise.all(running)).map(({ status }) => status),
    ['miss', 'stored', 'done', 'removed'],
  );
});

test('limits: one operation more than may wait fails at once, and one that ends makes room', async (t) => {
  const server = await FakeServer.start(t);
  const client = clientOf(t, [server.address], { clock: new FakeClock() });
  const waiting = Array.from({ length: MAX_PENDING_COMMANDS }, (_, i) => client.touch(`k${i}`, 60));
  assert.match(JSON.stringify(await client.read('one more')), /down.*queue full/);
  await server.received(`touch k${MAX_PENDING_COMMANDS - 1} 60\r\n`);
  server.write('TOUCHED\r\n');
  assert.deepEqual(await waiting[0], { status: 'touched' });
  const next = client.read('next');
  await server.received('get next\r\n');
  server.write(`${'TOUCHED\r\n'.repeat(MAX_PENDING_COMMANDS - 1)}END\r\n`);
  assert.deepEqual(await next, { status: 'miss' });
  await Promise.all(waiting);
});

test('limits: bytes that wait are bounded as well, and those answered make room', async (t) => {
  const fake = await FakeServer.start(t);
  const server = new CacheServer({
    address: fake.address,
    timeoutMs: 250,
    clock: new FakeClock(),
    log: recordedLog(),
  });
  t.after(() => server.stop());
  const waiting = server.execute('set', 'k', 'x'.repeat(MAX_PENDING_BYTES), server.deadlineMs());
  const refused = await server.execute('get', 'k', 'get k\r\n', server.deadlineMs());
  assert.match(JSON.stringify(refused), /down.*queue full/);
  await fake.received('x');
  fake.write('STORED\r\n');
  assert.deepEqual(await waiting, { kind: 'word', word: 'STORED' });
  const accepted = server.execute('get', 'k', 'get k\r\n', server.deadlineMs());
  server.stop();
  assert.match(JSON.stringify(await accepted), /down.*stopped/);
});
