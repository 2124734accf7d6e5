import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CommandStatistics } from '../../modules/memcached/statistics.ts';
import { valueLimit } from '../../modules/memcached/value.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { type Backend, backends, clientOf, rawExchange } from './rig.ts';

/** Runs one test on every kind of server. */
function onEach(name: string, run: (test: TestContext, backend: Backend) => Promise<void>): void {
  for (const kind of backends) {
    test(`client on ${kind.name}: ${name}`, { skip: kind.skip }, async (t) => run(t, await kind.start(t)));
  }
}

const LONG_KEY = 'L'.repeat(300);
const LONG_KEY_MD5 = 'a4c74e5d8afcfe40829904fb255565b1';

onEach('writes the bytes that Kamailio writes', async (t, { address }) => {
  const client = clientOf(t, [address]);
  for (const [key, value] of [
    ['str', 'x'],
    ['num', 5],
    ['empty', ''],
    ['big', 2n ** 64n - 1n],
    ['café', 'é'],
    [LONG_KEY, 'hashed'],
  ] as const) {
    assert.deepEqual(await client.write(key, value), { status: 'stored' });
  }
  for (const [key, stored] of [
    ['str', 'VALUE str 1 1\r\nx\r\nEND\r\n'],
    ['num', 'VALUE num 0 1\r\n5\r\nEND\r\n'],
    ['empty', 'VALUE empty 1 0\r\n\r\nEND\r\n'],
    ['big', 'VALUE big 0 20\r\n18446744073709551615\r\nEND\r\n'],
    ['caf\xc3\xa9', 'VALUE caf\xc3\xa9 1 2\r\n\xc3\xa9\r\nEND\r\n'],
    [LONG_KEY_MD5, `VALUE ${LONG_KEY_MD5} 1 6\r\nhashed\r\nEND\r\n`],
  ] as const) {
    assert.equal(await rawExchange(address, `get ${key}\r\n`), stored);
  }
});

onEach('reads what others wrote, by its flags', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const strings = clientOf(t, [address], { stringify: true });
  await rawExchange(
    address,
    'set s 1 0 1\r\n5\r\nset n 0 0 2\r\n9 \r\nset t 0 0 3\r\nabc\r\nset b 0 0 20\r\n18446744073709551615\r\nset j 2 0 1\r\n7\r\n',
  );
  for (const [key, value, text] of [
    ['s', '5', '5'],
    ['n', 9, '9'],
    ['t', 'abc', 'abc'],
    ['b', 18446744073709551615n, '18446744073709551615'],
    ['j', 7, '7'],
  ] as const) {
    assert.deepEqual(await client.read(key), { status: 'hit', value });
    assert.deepEqual(await strings.read(key), { status: 'hit', value: text });
  }
});

test('client: an expire that has come to pass is sent all the same, and warned of once', async (t) => {
  const startMs = 1_700_000_000_000;
  t.mock.timers.enable({ apis: ['Date'], now: startMs });
  const embedded = await backends[0]?.start(t);
  assert.ok(embedded !== undefined);
  const log = recordedLog();
  const client = clientOf(t, [embedded.address], { expire: startMs / 1000 + 1, log });
  assert.deepEqual(await client.write('k', 'x'), { status: 'stored' });
  assert.deepEqual(await client.read('k'), { status: 'hit', value: 'x' });
  assert.equal(log.lines.length, 0);
  t.mock.timers.setTime(startMs + 1000);
  for (const key of ['k', 'l']) {
    assert.deepEqual(await client.write(key, 'x'), { status: 'stored' });
    assert.deepEqual(await client.read(key), { status: 'miss' });
    assert.deepEqual(await client.count('n').add(1), { status: 'done', value: 1 });
  }
  await client.write('own', 'x', { expire: 60 });
  assert.deepEqual(await client.read('own'), { status: 'hit', value: 'x' });
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message.slice(0, 60)}`),
    ['warn memcached.expire, 1700000001, is a Unix time that has passed'],
  );
});

onEach('tells a miss from a hit', async (t, { address }) => {
  const client = clientOf(t, [address]);
  assert.deepEqual(await client.read('nope'), { status: 'miss' });
  await client.write('nope', '');
  assert.deepEqual(await client.read('nope'), { status: 'hit', value: '' });
});

onEach('keeps bytes of every kind', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const everyByte = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i < 128 ? i : 0xdc00 + i)).join(
    '',
  );
  const values = [everyByte, 'END\r\n', 'VALUE x 1 1\r\nx\r\nEND\r\n', '\r\n', '\0', 'x'.repeat(100_000)];
  for (const value of values) {
    await client.write('bytes', value);
    assert.deepEqual(await client.read('bytes'), { status: 'hit', value });
  }
});

onEach('removes, once', async (t, { address }) => {
  const client = clientOf(t, [address]);
  await client.write('k', 1);
  assert.deepEqual(await client.remove('k'), { status: 'removed' });
  assert.deepEqual(await client.remove('k'), { status: 'missing' });
  assert.deepEqual(await client.read('k'), { status: 'miss' });
});

onEach('a key may have the name of the word noreply', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const key = 'noreply';
  assert.deepEqual(await client.write(key, 1), { status: 'stored' });
  assert.deepEqual(await client.increment(key, 2), { status: 'done', value: 3 });
  assert.deepEqual(await client.touch(key, 60), { status: 'touched' });
  assert.deepEqual(await client.read(key), { status: 'hit', value: 3 });
  assert.deepEqual(await client.remove(key), { status: 'removed' });
  assert.deepEqual(await client.remove(key), { status: 'missing' });
});

onEach('in mode 1 the first value stays, visibly', async (t, { address }) => {
  const client = clientOf(t, [address], { mode: 1 });
  assert.deepEqual(await client.write('k', 'first'), { status: 'stored' });
  assert.deepEqual(await client.write('k', 'second'), { status: 'exists' });
  assert.deepEqual(await client.read('k'), { status: 'hit', value: 'first' });
});

onEach('counts, pads, stops at 0 and wraps at 2^64', async (t, { address }) => {
  const client = clientOf(t, [address]);
  await client.write('n', 10);
  assert.deepEqual(await client.decrement('n', 1), { status: 'done', value: 9 });
  assert.deepEqual(await client.read('n'), { status: 'hit', value: 9 });
  assert.deepEqual(await client.decrement('n', 100), { status: 'done', value: 0 });
  assert.deepEqual(await client.increment('n', 2n ** 64n - 1n), { status: 'done', value: 2n ** 64n - 1n });
  assert.deepEqual(await client.read('n'), { status: 'hit', value: 2n ** 64n - 1n });
  assert.deepEqual(await client.increment('n', 3), { status: 'done', value: 2 });
});

onEach('a counter that is not there is missing, and is not created', async (t, { address }) => {
  const client = clientOf(t, [address]);
  assert.deepEqual(await client.increment('nope', 1), { status: 'missing' });
  assert.deepEqual(await client.decrement('nope', 1), { status: 'missing' });
  assert.deepEqual(await client.read('nope'), { status: 'miss' });
});

onEach('a text that is no number is not counted, and stays', async (t, { address }) => {
  const client = clientOf(t, [address]);
  await client.write('text', 'abc');
  assert.deepEqual(await client.increment('text', 1), { status: 'not-a-number' });
  assert.deepEqual(await client.decrement('text', 1), { status: 'not-a-number' });
  assert.deepEqual(await client.count('text').add(1), { status: 'not-a-number' });
  assert.deepEqual(await client.read('text'), { status: 'hit', value: 'abc' });
});

onEach('an integer of more than 64 bits is kept as a string, and not counted', async (t, { address }) => {
  const client = clientOf(t, [address]);
  assert.deepEqual(await client.write('n', 2n ** 64n), { status: 'stored' });
  assert.equal(await rawExchange(address, 'get n\r\n'), 'VALUE n 1 20\r\n18446744073709551616\r\nEND\r\n');
  assert.deepEqual(await client.increment('n', 1), { status: 'not-a-number' });
  assert.deepEqual(await client.read('n'), { status: 'hit', value: '18446744073709551616' });
});

onEach('a step that is no non-negative integer is refused, and nothing changes', async (t, { address }) => {
  const client = clientOf(t, [address]);
  await client.write('n', 5);
  for (const n of [-1, 0.5, Number.NaN, 2n ** 64n]) {
    await assert.rejects(client.increment('n', n), { code: 'ERR_MEMCACHED_VALUE' });
    await assert.rejects(client.decrement('n', n), { code: 'ERR_MEMCACHED_VALUE' });
    await assert.rejects(client.count('n').add(n), { code: 'ERR_MEMCACHED_VALUE' });
  }
  assert.deepEqual(await client.read('n'), { status: 'hit', value: 5 });
});

onEach('count creates what is not there, from the initial value', async (t, { address }) => {
  const client = clientOf(t, [address]);
  assert.deepEqual(await client.count('c').add(1), { status: 'done', value: 1 });
  assert.deepEqual(await client.count('c').add(2), { status: 'done', value: 3 });
  assert.deepEqual(await client.count('d').add(1, { initial: 10, expire: 60 }), {
    status: 'done',
    value: 11,
  });
  assert.equal(await rawExchange(address, 'get d\r\n'), 'VALUE d 0 2\r\n11\r\nEND\r\n');
});

onEach('no count is lost when several proxies count at once', async (t, { address }) => {
  const clients = Array.from({ length: 8 }, () => clientOf(t, [address]));
  const keys = Array.from({ length: 50 }, (_, i) => `race${i}`);
  await Promise.all(clients.map((client) => client.start()));
  await Promise.all(keys.flatMap((key) => clients.map((client) => client.count(key).add(1))));
  for (const key of keys) {
    assert.deepEqual(await clients[0]?.read(key), { status: 'hit', value: clients.length }, key);
  }
});

onEach('touch changes the lifetime and not the value', async (t, { address }) => {
  const client = clientOf(t, [address], { expire: 0 });
  await client.write('k', 'v');
  assert.deepEqual(await client.touch('k', 60), { status: 'touched' });
  assert.deepEqual(await client.touch('nope', 60), { status: 'missing' });
  assert.deepEqual(await client.read('k'), { status: 'hit', value: 'v' });
  await assert.rejects(client.touch('k', -1), { code: 'ERR_MEMCACHED_EXPIRE' });
  await assert.rejects(client.touch('k', 2_592_001), { code: 'ERR_MEMCACHED_EXPIRE' });
});

onEach(
  'a value up to the limit is stored, one byte more is refused and the old one stays',
  async (t, { address }) => {
    const client = clientOf(t, [address]);
    const limit = valueLimit('k', 1);
    assert.deepEqual(await client.write('k', 'x'.repeat(limit)), { status: 'stored' });
    assert.deepEqual(await client.write('k', 'y'.repeat(limit + 1)), {
      status: 'too-large',
      size: limit + 1,
      limit,
    });
    assert.deepEqual(await client.read('k'), { status: 'hit', value: 'x'.repeat(limit) });
  },
);

onEach('answers reach the operations they belong to, many at once', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const numbers = Array.from({ length: 2000 }, (_, i) => i);
  await Promise.all(numbers.map((i) => client.write(`k${i}`, i % 2 === 0 ? i : `v${i}`)));
  const read = await Promise.all(numbers.map((i) => client.read(`k${i}`)));
  for (const i of numbers) assert.deepEqual(read[i], { status: 'hit', value: i % 2 === 0 ? i : `v${i}` });
});

function countsOf({ hits, misses, errors, timeouts }: CommandStatistics): readonly number[] {
  return [hits, misses, errors, timeouts];
}

onEach('counts hits, misses and errors by command', async (t, { address }) => {
  const client = clientOf(t, [address], { mode: 1 });
  await client.write('k', 'v');
  await client.write('k', 'v');
  await client.read('k');
  await client.read('nope');
  await client.increment('k', 1);
  const [statistics] = Object.values(client.statistics());
  assert.ok(statistics !== undefined);
  assert.deepEqual(countsOf(statistics.add), [1, 1, 0, 0]);
  assert.deepEqual(countsOf(statistics.get), [1, 1, 0, 0]);
  assert.deepEqual(countsOf(statistics.incr), [0, 0, 1, 0]);
});

onEach('a stopped client answers down', async (t, { address }) => {
  const client = clientOf(t, [address]);
  await client.start();
  const waiting = client.read('k');
  client.stop();
  for (const outcome of [await waiting, await client.read('k'), await client.write('k', 1)]) {
    assert.equal(outcome.status, 'down');
    assert.match(outcome.status === 'down' ? outcome.reason : '', /stopped/);
  }
});

const real = backends.find(({ name }) => name === 'memcached');

test('client: several servers share the keys, and each value is where the ring says', {
  skip: real?.skip ?? 'none',
}, async (t) => {
  const [a, b] = await Promise.all([real?.start(t), real?.start(t)]);
  assert.ok(a !== undefined && b !== undefined);
  const client = clientOf(t, [a.address, b.address]);
  const keys = Array.from({ length: 200 }, (_, i) => `key:${i}`);
  for (const key of keys) assert.deepEqual(await client.write(key, key), { status: 'stored' });
  for (const key of keys) assert.deepEqual(await client.read(key), { status: 'hit', value: key });
  const items = await Promise.all(
    [a, b].map(async ({ address }) => {
      const stats = await rawExchange(address, 'stats\r\n');
      return Number(/STAT curr_items (\d+)/.exec(stats)?.[1]);
    }),
  );
  assert.equal((items[0] ?? 0) + (items[1] ?? 0), keys.length);
  assert.ok(
    items.every((count) => count > 40),
    items.join(' and '),
  );
});
