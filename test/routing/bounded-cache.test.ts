import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedCache } from '../../core/routing/bounded-cache.ts';

test('cache: never holds more than its limit', () => {
  const cache = new BoundedCache<object>(10);
  let most = 0;
  for (let i = 0; i < 100; i += 1) {
    cache.set(`k${i}`, {});
    most = Math.max(most, cache.size);
  }
  assert.equal(most, 10);
});

test('cache: keeps what is asked for again and again', () => {
  const cache = new BoundedCache<{ readonly n: number }>(10);
  cache.set('used', { n: 1 });
  for (let i = 0; i < 100; i += 1) {
    cache.set(`k${i}`, { n: i });
    assert.deepEqual(cache.get('used'), { n: 1 });
    assert.ok(cache.size <= 10);
  }
  assert.equal(cache.get('k0'), undefined);
});
