import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { didYouMean, nearestName } from '../../core/registry/nearest.ts';

const NAMES = ['memcached', 'maxfwd', 'tm', 'sl', 'rr', 'pv'];

const NEAREST: readonly (readonly [string, string | null])[] = [
  ['memcache', 'memcached'],
  ['memcachde', 'memcached'],
  ['MemCached', 'memcached'],
  ['mxafwd', 'maxfwd'],
  ['tmm', 'tm'],
  ['tm.so', 'tm'],
  ['dialog', null],
  ['', null],
  ['m'.repeat(65), null],
];
for (const [typed, expected] of NEAREST) {
  test(`nearestName: finds ${expected ?? 'nothing'} for '${typed.slice(0, 12)}'`, () => {
    assert.equal(nearestName(typed, NAMES), expected);
  });
}

test('nearestName: finds a name from which one character was dropped', () => {
  fc.assert(
    fc.property(fc.constantFrom('memcached', 'maxfwd', 'siputils'), fc.nat(5), (name, at) => {
      assert.equal(nearestName(name.slice(0, at) + name.slice(at + 1), ['tm', name, 'xlog']), name);
    }),
  );
});

test('didYouMean: is empty when no name is near', () => {
  assert.equal(didYouMean('memcache', NAMES), "; did you mean 'memcached'?");
  assert.equal(didYouMean('dialog', NAMES), '');
});
