import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentHashes } from '../../core/proxy/recent-hashes.ts';

test('recent hashes: what was added is found until another takes its place', () => {
  const hashes = new RecentHashes(8);
  for (const hash of [1, -1, 2 ** 31 - 1, -(2 ** 31)]) assert.equal(hashes.has(hash), false);
  assert.equal(hashes.isEmpty, true);
  hashes.add(3);
  assert.equal(hashes.isEmpty, false);
  hashes.add(-6);
  assert.equal(hashes.has(3), true);
  assert.equal(hashes.has(-6), true);
  assert.equal(hashes.has(11), false);
  hashes.add(11);
  assert.equal(hashes.has(11), true);
  assert.equal(hashes.has(3), false);
  assert.equal(hashes.has(-6), true);
  assert.equal(hashes.has(0), false);
});
