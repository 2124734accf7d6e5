import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ENCODED_KEY_PREFIX, MAX_PREFIX_BYTES, prefixProblem, wireKey } from '../../modules/memcached/key.ts';

const sha256 = (bytes: string) => createHash('sha256').update(bytes, 'latin1').digest('hex');

test('key: fewer than 250 bytes go as they are', () => {
  for (const key of ['a', 'call::1@192.0.2.1', 'k'.repeat(249), '$ru', 'a=b', '=>']) {
    assert.equal(wireKey(key), key);
  }
});

test('key: text beyond ASCII goes as its UTF-8 bytes', () => {
  assert.equal(wireKey('café'), 'caf\xc3\xa9');
});

test('key: 250 bytes or more become the MD5 that Kamailio computes', () => {
  // Seen on the wire of Kamailio 5.6.3.
  assert.equal(wireKey('L'.repeat(250)), 'c140fcd9fb956c6fbe4f0525e70cbc91');
  assert.equal(wireKey('L'.repeat(300)), 'a4c74e5d8afcfe40829904fb255565b1');
});

test('key: outer whitespace counts towards the length, and not towards the MD5', () => {
  assert.equal(wireKey(` \t${'L'.repeat(300)}\r\n`), 'a4c74e5d8afcfe40829904fb255565b1');
  assert.equal(
    wireKey(`${'L'.repeat(240)}${' '.repeat(10)}`),
    wireKey(`${' '.repeat(60)}${'L'.repeat(240)}`),
  );
});

test('key: the length that counts is that of the bytes', () => {
  assert.equal(wireKey('é'.repeat(124)).length, 248);
  assert.match(wireKey('é'.repeat(125)), /^[0-9a-f]{32}$/);
});

test('key: what the protocol cannot carry becomes a digest', () => {
  for (const key of ['', ' ', 'a b', 'a\r\nset x 0 0 1', 'a\0b', 'a\tb', 'a\x7fb', 'a\x01']) {
    assert.equal(wireKey(key), `${ENCODED_KEY_PREFIX}${sha256(key)}`, JSON.stringify(key));
  }
});

test('key: a plain key that looks like an encoded one is encoded as well', () => {
  const encoded = wireKey('a b');
  assert.equal(wireKey(encoded), `${ENCODED_KEY_PREFIX}${sha256(encoded)}`);
  assert.notEqual(wireKey(encoded), encoded);
});

test('key: whatever the text, the wire gets 1 to 249 bytes without spaces or control characters', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ unit: fc.constantFrom('a', ' ', '\r', '\n', '\0', 'é', '\udc80'), maxLength: 400 }),
    fc.string({ minLength: 10_000, maxLength: 10_050 }),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      assert.match(wireKey(text), /^[\x21-\x7e\x80-\xff]{1,249}$/);
    }),
  );
});

test('key: two texts of fewer than 250 bytes never share a key', () => {
  const part = fc.constantFrom('a', ' ', '\n', ENCODED_KEY_PREFIX, sha256(' '), '');
  const short = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(short, short, (a, b) => {
      assert.equal(wireKey(a) === wireKey(b), a === b);
    }),
    { numRuns: 2000 },
  );
});

test('key: null, undefined or a number is refused', () => {
  for (const key of [null, undefined, 7]) {
    assert.throws(() => Reflect.apply(wireKey, undefined, [key]), { code: 'ERR_MEMCACHED_KEY' });
  }
});

test('key: a prefix stays readable, whatever becomes of the key', () => {
  assert.equal(wireKey('k', 'prod:'), 'prod:k');
  assert.equal(wireKey('k'.repeat(244), 'prod:'), `prod:${'k'.repeat(244)}`);
  assert.equal(wireKey('L'.repeat(300), 'prod:'), 'prod:a4c74e5d8afcfe40829904fb255565b1');
  assert.match(wireKey('k'.repeat(245), 'prod:'), /^prod:[0-9a-f]{32}$/);
  assert.equal(wireKey('a b', 'prod:'), `prod:${ENCODED_KEY_PREFIX}${sha256('a b')}`);
  for (const key of ['', 'a b', 'x'.repeat(200), 'y'.repeat(5000)]) {
    assert.ok(wireKey(key, 'p'.repeat(MAX_PREFIX_BYTES)).length < 250);
  }
});

test('key: a prefix is short and can be sent', () => {
  for (const text of ['', 'prod:', 'é:', 'p'.repeat(MAX_PREFIX_BYTES)])
    assert.equal(prefixProblem(text), null);
  for (const text of ['a b', 'a\r\n', '\x7f', ' ', 'p'.repeat(MAX_PREFIX_BYTES + 1), 'é'.repeat(51)]) {
    assert.notEqual(prefixProblem(text), null, text);
  }
});
