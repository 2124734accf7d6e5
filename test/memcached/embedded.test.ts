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
import { backends, rawExchange } from './rig.ts';

const K250 = 'k'.repeat(250);
const K251 = 'k'.repeat(251);
const LARGE = 'x'.repeat(1_100_000);

/** Commands that the embedded store and memcached answer with the same bytes; each line is a connection of its own, on one store. */
const TRANSCRIPT: readonly string[] = [
  '\r\n',
  'foo\r\n',
  'toString\r\n',
  'GET a\r\n',
  'get\r\n',
  'get \r\n',
  'get a b c\r\n',
  'set\r\n',
  'set a 0 0\r\n',
  'set a 0 0 1\r\nx\r\nget a\r\n',
  'set a 0 0 1\nx\r\nget a\n',
  ' get  a \r\n',
  'set a 0 0 1\r\nxy\r\n',
  'set a 0 0 1\r\nxyz\r\nget a\r\n',
  'set a 0 0 1 noreply\r\nxyz\r\nget a\r\n',
  'set a x 0 1\r\nx\r\n',
  'set a x 0 1 noreply\r\nx\r\n',
  'set a -1 0 1\r\nx\r\n',
  'set a +1 0 1\r\nx\r\nget a\r\n',
  'set a 4294967295 0 1\r\nx\r\nget a\r\n',
  'set a 4294967296 0 1\r\nx\r\nget a\r\n',
  'set a 0 x 1\r\nx\r\n',
  'set a 0 9999999999999999999999 1\r\nx\r\n',
  'set a 0 -1 1\r\nx\r\nget a\r\n',
  'set a 0 4294967295 1\r\nx\r\nget a\r\n',
  'set a 0 2592001 1\r\nx\r\nget a\r\n',
  'set a 0 2147483647 1\r\nx\r\nget a\r\n',
  'set a 0 0 x\r\nx\r\n',
  'set a 0 0 -1\r\nx\r\n',
  'set a 0 0 2147483647\r\nx\r\n',
  `set ${K250} 0 0 1\r\nx\r\nget ${K250}\r\n`,
  `set ${K251} 0 0 1\r\nx\r\n`,
  `set ${K251} 0 0 1 noreply\r\nx\r\n`,
  `get ${K251}\r\n`,
  `get a ${K251}\r\n`,
  `incr ${K251} 1\r\ntouch ${K251} 1\r\ndelete ${K251}\r\n`,
  `gat 10 ${K251}\r\n`,
  'set a 1 0 5\r\na\0\r\nb\r\nget a\r\n',
  'set n 0 0 2\r\n10\r\ndecr n 1\r\nget n\r\nincr n 5\r\nget n\r\ndecr n 100\r\nget n\r\n',
  'set n 5 0 20\r\n18446744073709551615\r\nincr n 1\r\nget n\r\n',
  'set n 0 0 1\r\n9\r\nincr n 1\r\nget n\r\nincr n 18446744073709551615\r\n',
  'set n 0 0 3\r\n005\r\nincr n 1\r\nget n\r\n',
  'incr nope 1\r\ndecr nope 1\r\n',
  'incr n\r\nincr n x\r\nincr n -1\r\nincr n +3\r\nincr n 18446744073709551616\r\nincr n 1 2\r\nincr n 1 2 3\r\n',
  'set s 1 0 3\r\nabc\r\nincr s 1\r\nget s\r\n',
  'set s 0 0 0\r\n\r\nincr s 1\r\n',
  'set s 0 0 3\r\n 5 \r\nincr s 1\r\nget s\r\n',
  'set s 0 0 5\r\n5   x\r\nincr s 1\r\nget s\r\n',
  'set s 0 0 2\r\n5x\r\nincr s 1\r\n',
  'set s 0 0 2\r\n-5\r\nincr s 1\r\n',
  'set s 0 0 2\r\n+5\r\nincr s 1\r\n',
  'set s 0 0 21\r\n184467440737095516150\r\nincr s 1\r\n',
  'set s 0 0 25\r\n                        1\r\nincr s 1\r\nget s\r\n',
  'set a 0 0 1\r\nx\r\nadd a 0 0 1\r\ny\r\nadd fresh 0 0 1\r\ny\r\nreplace a 2 0 1\r\nz\r\nreplace nope 0 0 1\r\nz\r\nget a fresh\r\n',
  'append a 7 0 2\r\n12\r\nprepend a 7 0 2\r\n34\r\nget a\r\nappend nope 0 0 1\r\nx\r\nprepend nope 0 0 1\r\nx\r\n',
  'cas nope 0 0 1 1\r\nx\r\ncas a 0 0 1 999999999\r\nx\r\ncas a 0 0 1\r\n',
  'cas a 0 0 1 x\r\nx\r\n',
  'delete a\r\ndelete a\r\ndelete a 0\r\ndelete a 5\r\ndelete a 00\r\ndelete a 0 x\r\ndelete a x\r\ndelete\r\ndelete a b c d\r\n',
  'delete a noreply x\r\n',
  'set a 0 0 1\r\nx\r\ntouch a\r\ntouch a 10\r\ntouch nope 10\r\ntouch a x\r\ntouch a -1\r\nget a\r\n',
  'set a 3 0 1\r\nx\r\ngat 100 a b\r\ngat\r\ngat 10\r\ngat x a\r\ngat -1 a\r\nget a\r\n',
  'set a 0 0 1 noreply\r\nx\r\nadd a 0 0 1 noreply\r\ny\r\nincr a 1 noreply\r\ntouch a 0 noreply\r\nget a\r\ndelete a noreply\r\nget a\r\n',
  'set a 0 0 1 noreply extra\r\nx\r\n',
  'set a 0 0 1 zzz\r\nx\r\n',
  'set noreply 0 0 1\r\n5\r\nget noreply\r\nincr noreply 1\r\ndecr noreply 2\r\ntouch noreply 0\r\ngat 0 noreply\r\ndelete noreply\r\ndelete noreply\r\n',
  'add noreply 0 0 1\r\n1\r\nreplace noreply 0 0 1\r\n2\r\nappend noreply 0 0 1\r\n3\r\nprepend noreply 0 0 1\r\n4\r\ncas noreply 0 0 1 1\r\n5\r\nget noreply a noreply\r\n',
  'incr noreply noreply\r\ntouch noreply noreply\r\nget noreply\r\nincr noreply 1 noreply\r\ntouch noreply 0 noreply\r\nget noreply\r\ndelete noreply noreply\r\nget noreply\r\n',
  'set noreply 0 0 1 noreply\r\n1\r\ndelete noreply 0 noreply\r\nget noreply\r\n',
  'set noreply 0 0 noreply\r\n',
  'cas noreply 0 0 1 noreply\r\n',
  'incr noreply\r\n',
  'touch noreply\r\n',
  'gat noreply noreply\r\n',
  'gat 10 noreply\r\n',
  'delete a 5 noreply\r\n',
  'delete a noreply 0\r\n',
  'delete a b c noreply\r\n',
  'verbosity noreply\r\n',
  'verbosity x noreply\r\n',
  'verbosity noreply 1\r\n',
  'stats noreply\r\n',
  'stats reset noreply\r\n',
  'set a 0 0 1\r\nx\r\nflush_all noreply 0\r\nflush_all noreply noreply\r\nflush_all x noreply\r\nget a\r\nflush_all noreply\r\nget a\r\n',
  'set a 0 0 1\r\nx\r\nflush_all\r\nget a\r\nflush_all 0\r\nflush_all noreply\r\nflush_all 0 noreply\r\nflush_all x\r\nflush_all a b c\r\n',
  'verbosity 1\r\nverbosity\r\nverbosity x\r\nverbosity 1 2 3 4\r\nverbosity 1 noreply\r\n',
  'stats reset\r\nstats nope\r\n',
  `set b 0 0 1\r\nx\r\nset b 0 0 ${LARGE.length}\r\n${LARGE}\r\nget b\r\n`,
  `set b 0 0 1\r\nx\r\nadd b 0 0 ${LARGE.length}\r\n${LARGE}\r\nget b\r\n`,
  `set b 0 0 ${LARGE.length} noreply\r\n${LARGE}\r\nget b\r\n`,
  `set b 0 0 1048516\r\n${LARGE.slice(0, 1_048_516)}\r\n`,
  `set b 0 0 1048517\r\n${LARGE.slice(0, 1_048_517)}\r\n`,
  `set b 1 0 1048512\r\n${LARGE.slice(0, 1_048_512)}\r\n`,
  `set b 1 0 1048513\r\n${LARGE.slice(0, 1_048_513)}\r\n`,
  `set b 0 0 1048000\r\n${LARGE.slice(0, 1_048_000)}\r\nappend b 0 0 1000\r\n${LARGE.slice(0, 1000)}\r\nget b\r\n`,
  `${'x'.repeat(2049)}\r\n`,
  `get ${'nope '.repeat(1000)}\r\n`,
];

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

test('embedded: gets and cas agree on the number of a value', () => {
  const { send } = session(new ItemStore());
  send('set a 0 0 1\r\nx\r\n');
  const number = /VALUE a 0 1 (\d+)/.exec(send('gets a\r\n'))?.[1];
  assert.equal(send(`cas a 0 0 1 ${number}\r\ny\r\n`), 'STORED\r\n');
  assert.equal(send(`cas a 0 0 1 ${number}\r\nz\r\n`), 'EXISTS\r\n');
  assert.match(send('gats 0 a\r\n'), /^VALUE a 0 1 \d+\r\ny\r\nEND\r\n$/);
});

test('embedded: values go when their lifetime ends, or the moment of flush_all comes', () => {
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
  send('flush_all 5\r\n');
  nowMs += 4_999;
  assert.equal(present(), 'b');
  nowMs += 1;
  assert.equal(present(), '');
  assert.equal(store.bytes, 0);
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
