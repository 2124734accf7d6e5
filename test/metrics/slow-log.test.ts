import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SLOW_LINES_PER_S, SlowLog } from '../../modules/memcached/slow-log.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { FakeServer } from '../memcached/fake-server.ts';
import { clientOf } from '../memcached/rig.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const slow = { operation: 'get', server: '127.0.0.1:11211', key: 'k', ms: 120.4 };

function setUp() {
  const clock = new FakeClock(5_000);
  const log = recordedLog();
  return { clock, log, slowLog: new SlowLog(100, clock, log) };
}

test('slow log: one warning tells operation, server, time and key', () => {
  const { log, slowLog } = setUp();
  slowLog.note(slow);
  assert.deepEqual(log.lines, [
    {
      level: 'warn',
      message: 'slow memcached operation',
      fields: { operation: 'get', server: '127.0.0.1:11211', ms: 120, key: 'k' },
    },
  ]);
});

test('slow log: of a long key its first 40 chars are shown', () => {
  const { log, slowLog } = setUp();
  slowLog.note({ ...slow, key: 'k'.repeat(41) });
  slowLog.note({ ...slow, key: 'k'.repeat(40) });
  assert.deepEqual(
    log.lines.map(({ fields }) => fields['key']),
    [`${'k'.repeat(40)}...`, 'k'.repeat(40)],
  );
});

test('slow log: a second has a bounded number of lines; how many were left out is told with the next', () => {
  const { clock, log, slowLog } = setUp();
  for (let i = 0; i < MAX_SLOW_LINES_PER_S + 7; i += 1) slowLog.note(slow);
  assert.equal(log.lines.length, MAX_SLOW_LINES_PER_S);
  clock.advance(999);
  slowLog.note(slow);
  assert.equal(log.lines.length, MAX_SLOW_LINES_PER_S);
  clock.advance(1);
  slowLog.note(slow);
  slowLog.note(slow);
  assert.deepEqual(
    log.lines.slice(MAX_SLOW_LINES_PER_S).map(({ message }) => message),
    ['slow memcached operation; 8 before it were not logged', 'slow memcached operation'],
  );
});

test('slow log: a client logs operations from the threshold on, those without an answer too, and no others', async (t) => {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const log = recordedLog();
  const slowLog = new SlowLog(100, clock, log);
  const client = clientOf(t, [server.address], { clock, log, slowLog, timeoutMs: 250 });
  const readAfter = async (key: string, ms: number): Promise<void> => {
    const reading = client.read(key);
    await server.received(`get ${key}\r\n`);
    clock.advance(ms);
    server.write('END\r\n');
    await reading;
  };
  await readAfter('quick', 99);
  await readAfter('slow', 100);
  const reading = client.read('silent');
  await server.received('get silent\r\n');
  clock.advance(250);
  await reading;
  assert.deepEqual(
    log.lines.filter(({ message }) => message.startsWith('slow')).map(({ fields }) => fields),
    [
      { operation: 'get', server: client.servers[0]?.name, ms: 100, key: 'slow' },
      { operation: 'get', server: client.servers[0]?.name, ms: 250, key: 'silent' },
    ],
  );
});
