import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedLifetime } from '../../modules/memcached/lifetime.ts';

test('lifetime: 30 days and a Unix time to come are taken', () => {
  for (const lifetime of [0, 1, 10_800, 2_592_000, 2_147_483_647]) {
    assert.equal(checkedLifetime(lifetime, 'expire'), lifetime);
  }
});

test('lifetime: a Unix time that has passed is refused, as the value would vanish at once', () => {
  for (const lifetime of [2_592_001, 1_000_000_000, Math.floor(Date.now() / 1000) - 1]) {
    assert.throws(() => checkedLifetime(lifetime, 'expire'), {
      code: 'ERR_MEMCACHED_EXPIRE',
      message: /Unix time in the future/,
    });
  }
});

test('lifetime: what is no number of seconds is refused', () => {
  for (const lifetime of [-1, 0.5, Number.NaN, 2_147_483_648, '60', null]) {
    assert.throws(() => Reflect.apply(checkedLifetime, undefined, [lifetime, 'expire']), {
      code: 'ERR_MEMCACHED_EXPIRE',
    });
  }
});
