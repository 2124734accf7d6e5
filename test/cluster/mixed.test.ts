import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../memcached/limits-rig.ts';
import { Child } from '../programs/child.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { type CacheProxy, startMixed } from './mixed-proxies.ts';

const skip = missing('kamailio') ?? missing('memcached') ?? false;

const CALLS = 10_000;
/** How long they may take, ms. */
const LIMIT_MS = 55_000;

async function memcachedFor(t: TestContext): Promise<Memcached> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  return memcached;
}

test(`mixed cluster: Kamailio and kamaiki agree exactly after ${CALLS} calls, each of which went through one of them`, {
  skip,
}, async (t) => {
  const { kamailio, kamaiki } = await startMixed(t, await memcachedFor(t));
  // One creates a counter, and both count in it.
  assert.equal(await kamailio.do('integer', 'calls:total', 0), '0');
  assert.equal(await kamaiki.do('integer', 'active', 0), '0');
  for (const { name } of [kamailio, kamaiki]) await kamaiki.do('integer', `calls:${name}`, 0);
  const script = join(import.meta.dirname, 'call-count-process.js');
  const caller = new Child(process.execPath, [
    script,
    String(CALLS),
    String(kamailio.port),
    String(kamaiki.port),
  ]);
  t.after(() => caller.signal('SIGKILL'));
  const good = await caller.until('all calls', () => caller.out[0] ?? null, LIMIT_MS);
  assert.equal(good, String(CALLS), caller.err.join('\n'));
  for (const proxy of [kamailio, kamaiki]) {
    assert.equal(await proxy.do('read', `calls:${proxy.name}`), String(CALLS / 2), proxy.name);
  }
  for (const proxy of [kamailio, kamaiki]) {
    assert.equal(await proxy.do('read', 'calls:total'), String(CALLS), proxy.name);
    // `decr` pads with spaces where a number gets shorter.
    assert.equal((await proxy.do('read', 'active'))?.trim(), '0', proxy.name);
    // Calls had their turn: even ones went through Kamailio.
    for (const [number, by] of [
      [0, 'kamailio'],
      [1, 'kamaiki'],
      [CALLS - 2, 'kamailio'],
      [CALLS - 1, 'kamaiki'],
    ] as const) {
      assert.equal(await proxy.do('read', `by::count-${caller.pid}-${number}`), by, proxy.name);
    }
  }
});

/** Keys of every length that is treated in its own way: 249 bytes go as they are, 250 and more as their MD5. */
const KEYS = ['key', 'w'.repeat(249), 'e'.repeat(250), `sip:${'long'.repeat(100)}@example.com`];

async function eachWay(
  { kamailio, kamaiki }: { readonly kamailio: CacheProxy; readonly kamaiki: CacheProxy },
  check: (writer: CacheProxy, reader: CacheProxy, what: string) => Promise<void>,
): Promise<void> {
  for (const [writer, reader] of [
    [kamailio, kamaiki],
    [kamaiki, kamailio],
  ] as const) {
    await check(writer, reader, `${writer.name} writes, ${reader.name} reads`);
  }
}

test('mixed cluster: what one of them stores, counts, shortens or deletes, the other one reads', {
  skip,
}, async (t) => {
  const proxies = await startMixed(t, await memcachedFor(t));
  await eachWay(proxies, async (writer, reader, what) => {
    for (const key of KEYS) {
      await writer.do('string', key, 'sip:a@b;x=y');
      assert.equal(await reader.do('read', key), 'sip:a@b;x=y', `${what} ${key}`);
      // Digits that were stored as a string are one, by the flags.
      await writer.do('string', key, '007');
      assert.equal(await reader.do('read', key), '007', `${what} ${key}`);
      await writer.do('integer', key, 9);
      assert.equal(await reader.do('increment', key, 2), '11', `${what} ${key}`);
      assert.equal((await writer.do('decrement', key, 2))?.trim(), '9', `${what} ${key}`);
      assert.equal((await reader.do('read', key))?.trim(), '9', `${what} ${key}`);
      await writer.do('delete', key);
      assert.equal(await reader.do('read', key), null, `${what} ${key}`);
      // A counter that is not there is created by neither.
      assert.equal(await writer.do('increment', key, 1), null, `${what} ${key}`);
    }
  });
});

test('mixed cluster: a lifetime that one of them sets ends the value for the other', { skip }, async (t) => {
  const proxies = await startMixed(t, await memcachedFor(t));
  await eachWay(proxies, async (writer, reader, what) => {
    for (const key of ['short', `long${'k'.repeat(300)}`]) {
      await writer.do('short', key, 'gone soon');
      await writer.do('string', `${key}ened`, 'gone soon');
      await writer.do('string', `${key}stays`, 'stays');
      assert.equal(await reader.do('read', `${key}ened`), 'gone soon', what);
      await writer.do('shorten', `${key}ened`);
      await eventually(`${what}: end of ${key}`, async () => (await reader.do('read', key)) === null);
      await eventually(
        `${what}: end of ${key}ened`,
        async () => (await reader.do('read', `${key}ened`)) === null,
      );
      assert.equal(await reader.do('read', `${key}stays`), 'stays', what);
    }
  });
});

test('mixed cluster: in mode 1 the first value stays, whichever of them wrote it', { skip }, async (t) => {
  const proxies = await startMixed(t, await memcachedFor(t), 1);
  await eachWay(proxies, async (writer, reader, what) => {
    for (const key of KEYS) {
      await writer.do('delete', key);
      await writer.do('string', key, 'first');
      assert.equal(await reader.do('string', key, 'second'), 'first', `${what} ${key}`);
      assert.equal(await writer.do('read', key), 'first', `${what} ${key}`);
    }
  });
});
