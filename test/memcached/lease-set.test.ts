import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HeldLeases } from '../../modules/memcached/limits/held-leases.ts';
import {
  leaseId,
  type LeaseSet,
  MAX_STORED_LEASES,
  parseLeases,
  printLeases,
} from '../../modules/memcached/limits/lease-set.ts';
import { applySteps } from '../../modules/memcached/limits/lease-steps.ts';

const NOW_MS = 1_800_000_000_000;

function setOf(ids: readonly string[], generation = 'generati'): LeaseSet {
  return {
    generation,
    untilMs: NOW_MS + 5000,
    leases: new Map(ids.map((id) => [leaseId(id), NOW_MS + 5000])),
  };
}

test('lease set: what is printed is read back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 50 }), fc.nat(1e12), (ids, endMs) => {
      const set: LeaseSet = {
        generation: '0123abcz',
        untilMs: endMs,
        leases: new Map(ids.map((id) => [leaseId(id), endMs])),
      };
      assert.deepEqual(parseLeases(printLeases(set)), set);
    }),
  );
});

test('lease set: text of another form is none', () => {
  const good = printLeases(setOf(['a']));
  for (const text of [
    '',
    'L1',
    'x',
    good.slice(1),
    good.slice(0, -1),
    `${good}x`,
    good.replace('L1', 'L2'),
  ]) {
    assert.equal(parseLeases(text), null, text);
  }
  assert.equal(parseLeases(`${good.slice(0, -8)}!!!!!!!!`), null);
});

test('lease set: the largest stays well below what a server takes', () => {
  const ids = Array.from({ length: MAX_STORED_LEASES }, (_, i) => String(i));
  assert.ok(printLeases(setOf(ids)).length < 600_000);
});

test('lease set: a held lease that this value has lost was released elsewhere; one of an older value is put back', () => {
  const held = new Map([
    [leaseId('released'), { endMs: NOW_MS + 1000, generation: 'generati' }],
    [leaseId('lost'), { endMs: NOW_MS + 1000, generation: 'previous' }],
    [leaseId('granted while down'), { endMs: NOW_MS + 1000, generation: '' }],
  ]);
  const set = setOf(['other']);
  const { changed, gone, results } = applySteps(set, [{ kind: 'count' }], { nowMs: NOW_MS, held });
  assert.deepEqual(gone, [leaseId('released')]);
  assert.equal(changed, true);
  assert.deepEqual(results, [{ done: true, created: false, active: 3 }]);
  assert.deepEqual(
    [...set.leases.keys()].toSorted(),
    ['other', 'lost', 'granted while down'].map(leaseId).toSorted(),
  );
});

test('lease set: a set that holds as many as it can takes no more', () => {
  const set = setOf(Array.from({ length: MAX_STORED_LEASES }, (_, i) => String(i)));
  const held = new Map([[leaseId('lost'), { endMs: NOW_MS + 1000, generation: 'previous' }]]);
  const steps = [{ kind: 'renew', id: leaseId('more'), ttlMs: 1000 }] as const;
  const { changed, results } = applySteps(set, steps, { nowMs: NOW_MS, held });
  assert.equal(changed, false);
  assert.deepEqual(results, [{ done: false, created: false, active: MAX_STORED_LEASES }]);
});

test('lease set: a process remembers so many leases, and forgets those of the longest unused limit', () => {
  const held = new HeldLeases(3);
  for (const limit of ['a', 'b', 'c', 'a', 'd']) {
    held.put(limit, `${limit}${held.size}`, { endMs: NOW_MS, generation: '' });
  }
  assert.equal(held.size, 3);
  assert.deepEqual(held.keys(), ['a', 'd']);
  assert.equal(held.living('a', NOW_MS).size, 0);
  assert.equal(held.size, 1);
});
