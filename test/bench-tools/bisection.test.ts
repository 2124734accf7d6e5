import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { highestPassing } from '../bench/bisection.ts';

const BOUNDS = { low: 500, high: 10_000, step: 100, attempts: 2 };

for (const { limit, found } of [
  { limit: 499, found: null },
  { limit: 500, found: 500 },
  { limit: 2_750, found: 2_700 },
  { limit: 9_999, found: 9_900 },
  { limit: 10_000, found: 10_000 },
  { limit: 50_000, found: 10_000 },
]) {
  test(`bisection: a limit of ${limit} is found as ${found}`, async () => {
    assert.equal(await highestPassing({ ...BOUNDS, passes: async (value) => value <= limit }), found);
  });
}

test('bisection: what is found passes, and what lies a step above does not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 500, max: 9_899 }), async (limit) => {
      const found = await highestPassing({ ...BOUNDS, passes: async (value) => value <= limit });
      assert.ok(found !== null && found <= limit && found + BOUNDS.step > limit, `${found} for ${limit}`);
    }),
  );
});

test('bisection: a value passes when one of its trials does', async () => {
  const trials = new Map<number, number>();
  const found = await highestPassing({
    ...BOUNDS,
    async passes(value) {
      trials.set(value, (trials.get(value) ?? 0) + 1);
      return value <= 3_000 && trials.get(value) === 2;
    },
  });
  assert.equal(found, 3_000);
});

test('bisection: no value is tried more often than told, and few values are', async () => {
  const trials = new Map<number, number>();
  await highestPassing({
    ...BOUNDS,
    async passes(value) {
      trials.set(value, (trials.get(value) ?? 0) + 1);
      return value <= 4_200;
    },
  });
  assert.ok([...trials.values()].every((count) => count <= BOUNDS.attempts));
  assert.ok(trials.size <= 2 + Math.ceil(Math.log2((BOUNDS.high - BOUNDS.low) / BOUNDS.step)) + 1);
});
