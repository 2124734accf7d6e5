import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HeldLeases } from '../../modules/memcached/limits/held-leases.ts';
import {
  dropFork,
  dropLease,
  emptyLeases,
  extendLease,
  LATEST_END_MS,
  leaseId,
  type LeaseSet,
  MAX_FORKS,
  MAX_STORED_LEASES,
  parseLeases,
  printLeases,
  WHOLE_CALL,
} from '../../modules/memcached/limits/lease-set.ts';
import { applySteps } from '../../modules/memcached/limits/lease-steps.ts';

const NOW_MS = 1_800_000_000_000;

function setOf(ids: readonly string[], generation = 'generati'): LeaseSet {
  const set = emptyLeases(generation, NOW_MS);
  for (const id of ids) extendLease(set, leaseId(id), WHOLE_CALL, NOW_MS + 5000);
  return set;
}

test('lease set: what is printed is read back', () => {
  const call = fc.record({ id: fc.string(), forks: fc.uniqueArray(fc.stringMatching(/^[0-9a-z]{4}$/)) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 50 }), fc.nat(1e12), (calls, endMs) => {
      const set = emptyLeases('0123abcz', endMs);
      for (const { id, forks } of calls) {
        for (const fork of forks) extendLease(set, leaseId(id), fork, endMs);
      }
      assert.deepEqual(parseLeases(printLeases(set)), set);
    }),
  );
});

test('lease set: text of another form is none', () => {
  const good = printLeases(setOf(['a']));
  for (const text of [
    '',
    'L2',
    'x',
    good.slice(1),
    good.slice(0, -1),
    `${good}x`,
    good.replace('L2', 'L1'),
  ]) {
    assert.equal(parseLeases(text), null, text);
  }
  assert.equal(parseLeases(`${good.slice(0, -8)}!!!!!!!!`), null);
});

test('lease set: the largest stays well below what a server takes', () => {
  const ids = Array.from({ length: MAX_STORED_LEASES }, (_, i) => String(i));
  assert.ok(printLeases(setOf(ids)).length < 700_000);
});

test('lease set: a held lease that this value has lost was released elsewhere; one of an older value is put back', () => {
  const held = new Map([
    [leaseId('released'), { endMs: NOW_MS + 1000, generation: 'generati', forks: [WHOLE_CALL] }],
    [leaseId('lost'), { endMs: NOW_MS + 1000, generation: 'previous', forks: [WHOLE_CALL] }],
    [leaseId('granted while down'), { endMs: NOW_MS + 1000, generation: '', forks: [WHOLE_CALL] }],
  ]);
  const set = setOf(['other']);
  const { changed, gone, results } = applySteps(set, [{ kind: 'count' }], { nowMs: NOW_MS, held });
  assert.deepEqual(gone, [leaseId('released')]);
  assert.equal(changed, true);
  assert.deepEqual(results, [{ done: true, created: false, held: false, active: 3 }]);
  assert.deepEqual(
    [...set.leases.keys()].toSorted(),
    ['other', 'lost', 'granted while down'].map(leaseId).toSorted(),
  );
});

test('lease set: a set that holds as many as it can takes no more', () => {
  const set = setOf(Array.from({ length: MAX_STORED_LEASES }, (_, i) => String(i)));
  const held = new Map([
    [leaseId('lost'), { endMs: NOW_MS + 1000, generation: 'previous', forks: [WHOLE_CALL] }],
  ]);
  const max = MAX_STORED_LEASES + 1;
  const steps = [{ kind: 'acquire', id: leaseId('more'), fork: WHOLE_CALL, max, ttlMs: 1000 }] as const;
  const { changed, results } = applySteps(set, steps, { nowMs: NOW_MS, held });
  assert.equal(changed, false);
  assert.deepEqual(results, [{ done: false, created: false, held: false, active: MAX_STORED_LEASES }]);
});

test('lease set: a renewal gives a lease that is there more time, and never less; it makes none', () => {
  const set = setOf(['call']);
  const held = new Map();
  for (const [id, ttlMs, done] of [
    ['call', 9000, true],
    ['call', 1000, true],
    ['over', 9000, false],
  ] as const) {
    const [result] = applySteps(set, [{ kind: 'renew', id: leaseId(id), ttlMs }], {
      nowMs: NOW_MS,
      held,
    }).results;
    assert.deepEqual(result, { done, created: false, held: done, active: 1 }, `${id} ${ttlMs}`);
  }
  assert.deepEqual([...set.leases], [[leaseId('call'), { endMs: NOW_MS + 9000, forks: [WHOLE_CALL] }]]);
  assert.equal(set.untilMs, NOW_MS + 9000);
});

test('lease set: a held lease that was renewed while the store did not answer lasts longer, if it is still there', () => {
  const set = setOf(['call']);
  const lease = { endMs: NOW_MS + 9000, generation: 'generati', forks: [WHOLE_CALL] };
  const held = new Map(['call', 'released'].map((id) => [leaseId(id), lease]));
  const { changed, gone } = applySteps(set, [], { nowMs: NOW_MS, held });
  assert.deepEqual([changed, gone], [true, [leaseId('released')]]);
  assert.deepEqual([...set.leases], [[leaseId('call'), { endMs: NOW_MS + 9000, forks: [WHOLE_CALL] }]]);
});

test('lease set: a process remembers so many leases, and forgets those of the longest unused limit', () => {
  const held = new HeldLeases(3);
  for (const limit of ['a', 'b', 'c', 'a', 'd']) {
    held.put(limit, `${limit}${held.size}`, { endMs: NOW_MS, generation: '', forks: [WHOLE_CALL] });
  }
  assert.equal(held.size, 3);
  assert.deepEqual(held.keys(), ['a', 'd']);
  assert.equal(held.living('a', NOW_MS).size, 0);
  assert.equal(held.size, 1);
});

test('lease set: a lease that was granted by a clock that was ahead is held for a week from now at the most', () => {
  const held = new HeldLeases();
  held.put('l', 'a', { endMs: NOW_MS + 2 * LATEST_END_MS, generation: '', forks: [WHOLE_CALL] });
  assert.equal(held.living('l', NOW_MS).get('a')?.endMs, NOW_MS + LATEST_END_MS);
  assert.equal(held.living('l', NOW_MS + LATEST_END_MS).size, 0);
});

test('lease set: the forks of a call have one lease, which ends with the last of them or with the call', () => {
  const set = setOf([]);
  const id = leaseId('call');
  for (const fork of ['aaaa', 'bbbb', 'aaaa']) extendLease(set, id, fork, NOW_MS + 1000);
  assert.deepEqual([set.leases.size, set.entries], [1, 2]);
  assert.deepEqual([dropFork(set, id, 'aaaa'), dropFork(set, id, 'aaaa')], [true, false]);
  assert.deepEqual([set.leases.size, set.entries], [1, 1]);
  assert.equal(dropFork(set, id, 'bbbb'), true);
  assert.deepEqual([set.leases.size, set.entries], [0, 0]);
  for (const fork of ['aaaa', 'bbbb']) extendLease(set, id, fork, NOW_MS + 1000);
  assert.equal(dropLease(set, id), true);
  assert.deepEqual([set.leases.size, set.entries], [0, 0]);
});

test('lease set: so many forks of a call are told apart, and a further one only gives it more time', () => {
  const set = setOf([]);
  const id = leaseId('call');
  for (let i = 0; i <= MAX_FORKS; i++) extendLease(set, id, String(i).padStart(4, '0'), NOW_MS + i);
  assert.deepEqual([set.entries, set.leases.get(id)?.endMs], [MAX_FORKS, NOW_MS + MAX_FORKS]);
});

test('lease set: a fork that nobody waits for is given back unless it is held or asked for; others do not matter', () => {
  const id = leaseId('call');
  const acquire = { kind: 'acquire', id, max: 5, ttlMs: 1000 } as const;
  const release = { kind: 'release', id, fork: 'aaaa', ifUnused: true } as const;
  const held = (fork: string) =>
    new Map([[id, { endMs: NOW_MS + 1000, generation: 'previous', forks: [fork] }]]);
  for (const [holding, asking, left] of [
    ['aaaa', 'bbbb', ['aaaa', 'bbbb']],
    ['bbbb', 'aaaa', ['bbbb', 'aaaa']],
    ['bbbb', 'cccc', ['bbbb', 'cccc']],
  ] as const) {
    const set = setOf([]);
    extendLease(set, id, 'aaaa', NOW_MS + 1000);
    const steps = [{ ...acquire, fork: asking }, release];
    applySteps(set, steps, { nowMs: NOW_MS, held: held(holding) });
    assert.deepEqual(new Set(set.leases.get(id)?.forks), new Set(left), `${holding} ${asking}`);
  }
});

test('lease set: what is put back has the forks that this process holds', () => {
  const id = leaseId('call');
  const set = setOf([]);
  extendLease(set, id, 'aaaa', NOW_MS + 5000);
  const held = new Map([[id, { endMs: NOW_MS + 1000, generation: 'previous', forks: ['bbbb'] }]]);
  const { changed } = applySteps(set, [], { nowMs: NOW_MS, held });
  assert.deepEqual([changed, set.leases.get(id)], [true, { endMs: NOW_MS + 5000, forks: ['aaaa', 'bbbb'] }]);
});
