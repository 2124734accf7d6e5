import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { Commands } from '../../modules/memcached/embedded/commands.ts';
import { EmbeddedServer, MAX_CLIENTS } from '../../modules/memcached/embedded/embedded-server.ts';
import { ItemStore } from '../../modules/memcached/embedded/item-store.ts';
import { MAX_GET_LINE_BYTES, MAX_LINE_BYTES, Session } from '../../modules/memcached/embedded/session.ts';
import { LARGE, TRANSCRIPT } from './embedded-transcript.ts';
import { backends, rawExchange } from './rig.ts';

const real = backends.find(({ name }) => name === 'memcached');

test('embedded: answers every command with the bytes of memcached', {
  skip: real?.skip ?? 'none',
}, async (t) => {
  const [embedded, memcached] = await Promise.all([backends[0]?.start(t), real?.start(t)]);
  assert.ok(embedded !== undefined && memcached !== undefined);
  for (const commands of TRANSCRIPT) {
    const [ours = '', theirs = '']: readonly string[] = await Promise.all([
      rawExchange(embedded.address, commands),
      rawExchange(memcached.address, commands),
    ]);
    assert.equal(ours.slice(0, 400), theirs.slice(0, 400), JSON.stringify(commands.slice(0, 200)));
    assert.equal(ours.length, theirs.length);
  }
});

/** A session on a store, without a socket. */
function session(store: ItemStore): { readonly send: (bytes: string) => string; readonly ended: boolean } {
  let answers = '';
  let ended = false;
  const inner = new Session(new Commands(store), {
    write: (bytes) => {
      answers += bytes;
    },
    end: () => {
      ended = true;
    },
  });
  return {
    send: (bytes) => {
      answers = '';
      inner.receive(Buffer.from(bytes, 'latin1'));
      return answers;
    },
    get ended() {
      return ended;
    },
  };
}

test('embedded: commands may come in any pieces', () => {
  const commands = 'set a 1 0 4\r\nx\r\ny\r\nget a\r\nset big 0 0 1100000\r\n';
  const expected = 'STORED\r\nVALUE a 1 4\r\nx\r\ny\r\nEND\r\nSERVER_ERROR object too large for cache\r\n';
  const whole = session(new ItemStore());
  assert.equal(whole.send(commands), expected);
  const pieces = session(new ItemStore());
  assert.equal(Array.from(commands, (char) => pieces.send(char)).join(''), expected);
  assert.equal(pieces.send(`${LARGE}\r\nget a\r\n`), 'VALUE a 1 4\r\nx\r\ny\r\nEND\r\n');
});

test('embedded: what it does not have of memcached is an ERROR, as its README says', () => {
  const { send } = session(new ItemStore());
  const missing =
    'bget a, mg a v, ms a S1, md a, ma a, mn, me a, cache_memlimit 64, slabs automove 1, lru mode flat, lru_crawler enable, watch, shutdown, refresh_certs, stats items';
  for (const command of missing.split(', ')) {
    assert.equal(send(`${command}\r\n`), 'ERROR\r\n', command);
  }
});

test('embedded: gets and cas agree on the number of a value', () => {
  const { send } = session(new ItemStore());
  send('set a 0 0 1\r\nx\r\n');
  const number = /VALUE a 0 1 (\d+)/.exec(send('gets a\r\n'))?.[1];
  assert.equal(send(`cas a 0 0 1 ${number}\r\ny\r\n`), 'STORED\r\n');
  assert.equal(send(`cas a 0 0 1 ${number}\r\nz\r\n`), 'EXISTS\r\n');
  assert.match(send('gats 0 a\r\n'), /^VALUE a 0 1 \d+\r\ny\r\nEND\r\n$/);
});

test('embedded: values go when their lifetime ends', () => {
  let nowMs = 1_000_000_000_000;
  const store = new ItemStore(() => nowMs);
  const { send } = session(store);
  const present = (): string =>
    [...send('get a b c d\r\n').matchAll(/VALUE (\w)/g)].map((match) => match[1]).join('');
  send(
    `set a 0 10 1\r\nx\r\nset b 0 0 1\r\nx\r\nset c 0 ${nowMs / 1000 + 20} 1\r\nx\r\nset d 0 10 1\r\nx\r\ntouch d 30\r\n`,
  );
  assert.equal(present(), 'abcd');
  nowMs += 9_999;
  assert.equal(present(), 'abcd');
  nowMs += 1;
  assert.equal(present(), 'bcd');
  nowMs += 10_000;
  assert.equal(present(), 'bd');
  nowMs += 10_000;
  assert.equal(present(), 'b');
});

test('embedded: flush_all takes effect in the second before its delay is over, for what is stored within that second as well', () => {
  let nowMs = 1_000_000_000_300;
  const store = new ItemStore(() => nowMs);
  const { send } = session(store);
  const put = (): string => send('set a 0 0 1\r\nx\r\nget a\r\n');
  const [there, gone] = ['STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n', 'STORED\r\nEND\r\n'];
  for (const [argument, comesMs] of [
    ['1', 1_000_000_000_300],
    ['2', 1_000_000_001_000],
    ['5', 1_000_000_004_000],
    ['1000000010', 1_000_000_009_000],
  ] as const) {
    nowMs = 1_000_000_000_300;
    assert.equal(put(), there);
    send(`flush_all ${argument}\r\n`);
    nowMs = comesMs - 1;
    if (nowMs > 1_000_000_000_300) assert.equal(put(), there, argument);
    nowMs = comesMs;
    assert.equal(send('get a\r\n'), 'END\r\n', argument);
    assert.equal(put(), gone, argument);
    nowMs += 999 - (nowMs % 1000);
    assert.equal(put(), gone, argument);
    nowMs += 1;
    assert.equal(put(), there, argument);
    nowMs += 60_000;
    assert.equal(send('get a\r\n'), there.slice('STORED\r\n'.length), argument);
  }
  send('flush_all\r\n');
  assert.equal(store.bytes, 0);
});

test('embedded: a later flush_all takes the place of one that is to come', () => {
  let nowMs = 1_000_000_000_000;
  for (const later of ['flush_all', 'flush_all -1', 'flush_all 2592001', 'flush_all 200']) {
    const { send } = session(new ItemStore(() => nowMs));
    send(`flush_all 100\r\n${later}\r\nset a 0 0 1\r\nx\r\n`);
    nowMs += 100_000;
    assert.match(send('get a\r\n'), /VALUE/, later);
  }
});

test('embedded: a Unix time drops everything, unless it is from before the server', () => {
  const startS = 1_000_000_000;
  for (const [unixS, isThere] of [
    [startS - 61, true],
    [startS - 60, false],
    [startS, false],
  ] as const) {
    const { send } = session(new ItemStore(() => startS * 1000));
    send(`set a 0 0 1\r\nx\r\nflush_all ${unixS}\r\n`);
    assert.equal(send('get a\r\n').includes('VALUE'), isThere, String(unixS));
    send('set b 0 0 1\r\nx\r\n');
    assert.match(send('get b\r\n'), /VALUE/);
  }
});

test('embedded: the least recently used values make room', () => {
  const limit = 10_000;
  const store = new ItemStore(() => 0, limit);
  const value = 'x'.repeat(900);
  for (let i = 0; i < 10; i++) store.set(`k${i}`, 0, 0, value);
  assert.equal(store.evictions, 0);
  store.get('k0');
  store.set('k10', 0, 0, value);
  store.set('k11', 0, 0, value);
  assert.deepEqual(
    ['k0', 'k1', 'k2', 'k3', 'k10', 'k11'].filter((key) => store.get(key) !== undefined),
    ['k0', 'k3', 'k10', 'k11'],
  );
  for (let i = 0; i < 1000; i++) {
    store.set(`many${i}`, 1, 0, 'y'.repeat(i));
    assert.ok(store.bytes <= limit);
  }
  for (let i = 0; i < 1000; i++) store.delete(`many${i}`);
  assert.deepEqual([store.size, store.bytes], [0, 0]);
});

test('embedded: a line without end is hung up on', () => {
  for (const [start, limit] of [
    ['x', MAX_LINE_BYTES],
    ['get ', MAX_GET_LINE_BYTES],
  ] as const) {
    const client = session(new ItemStore());
    client.send(start.padEnd(limit, 'x'));
    assert.equal(client.ended, false);
    client.send('x');
    assert.equal(client.ended, true);
    assert.equal(client.send('version\r\n'), '');
  }
});

test('embedded: stats count items and bytes', () => {
  const { send } = session(new ItemStore());
  send('set a 0 0 1\r\nx\r\nget a b\r\n');
  const stats = Object.fromEntries(
    send('stats\r\n')
      .split('\r\n')
      .map((line) => line.split(' ').slice(1)),
  );
  assert.deepEqual(
    [
      stats['curr_items'],
      stats['bytes'],
      stats['cmd_get'],
      stats['get_hits'],
      stats['get_misses'],
      stats['cmd_set'],
    ],
    ['1', '61', '2', '1', '1', '1'],
  );
});

test('embedded: its folder is its own, and gone when it has stopped', async () => {
  const server = new EmbeddedServer();
  const address = await server.start();
  assert.ok(address.kind === 'unix');
  assert.ok(existsSync(address.path));
  assert.match(await rawExchange(address, 'version\r\n'), /^VERSION /);
  const idle = createConnection({ path: address.path });
  await once(idle, 'connect');
  const closed = once(idle.resume(), 'close');
  await server.stop();
  assert.equal(existsSync(dirname(address.path)), false);
  await closed;
});

test('embedded: one client more than it takes is hung up on', async () => {
  const server = new EmbeddedServer();
  const address = await server.start();
  assert.ok(address.kind === 'unix');
  const clients = Array.from({ length: MAX_CLIENTS + 1 }, () => createConnection({ path: address.path }));
  const closed = clients.map((client, index) => once(client, 'close').then(() => index));
  for (const client of clients) client.on('error', () => {}).resume();
  assert.equal(await Promise.race(closed), MAX_CLIENTS);
  await server.stop();
  await Promise.all(closed);
});
