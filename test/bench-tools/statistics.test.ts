import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { lowestPerWindow } from '../bench/lowest-per-window.ts';
import { mean, median, percentile } from '../bench/statistics.ts';
import { type Point, slopeOf } from '../memcached/least-squares.ts';

for (const { numbers, middle } of [
  { numbers: [3], middle: 3 },
  { numbers: [5, 1, 9], middle: 5 },
  { numbers: [4, 1, 2, 9], middle: 3 },
  { numbers: [100, 20, 3], middle: 20 },
]) {
  test(`median: of ${numbers.join(', ')} it is ${middle}`, () => {
    assert.equal(median(numbers), middle);
  });
}

test('median: of nothing there is none', () => {
  assert.ok(Number.isNaN(median([])));
});

test('mean: of 1, 2 and 6 it is 3, of nothing there is none', () => {
  assert.equal(mean([1, 2, 6]), 3);
  assert.ok(Number.isNaN(mean([])));
});

for (const { share, value } of [
  { share: 0, value: 1 },
  { share: 0.5, value: 500 },
  { share: 0.99, value: 990 },
  { share: 0.999, value: 999 },
  { share: 1, value: 1000 },
]) {
  test(`percentile: ${share} of 1 to 1,000 is ${value}`, () => {
    assert.equal(
      percentile(
        Array.from({ length: 1000 }, (_, i) => i + 1),
        share,
      ),
      value,
    );
  });
}

test('percentile: at least the share of all numbers is not above it, and fewer are below it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (numbers, share) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        const found = percentile(sorted, share);
        assert.ok(sorted.filter((each) => each <= found).length >= sorted.length * share);
        assert.ok(sorted.filter((each) => each < found).length < sorted.length * share);
      },
    ),
  );
});

test('percentile: of nothing there is none', () => {
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

/** Memory that grows by so much a second, with garbage that is collected every 7 s. */
function sawtooth(growth: number): Point[] {
  return Array.from({ length: 600 }, (_, x) => ({ x, y: 1000 + growth * x + (x % 7) * 50 }));
}

test('lowest per window: garbage that comes and goes hides no slope, and makes none', () => {
  for (const growth of [0, 3]) {
    const slope = slopeOf(lowestPerWindow(sawtooth(growth), 10));
    assert.ok(Math.abs(slope - growth) < 0.05, `${slope} for ${growth}`);
  }
});

test('lowest per window: windows begin at the first point, and those without points give none', () => {
  const points = [
    { x: 5, y: 3 },
    { x: 14, y: 2 },
    { x: 15, y: 9 },
    { x: 40, y: 1 },
  ];
  assert.deepEqual(lowestPerWindow(points, 10), [
    { x: 14, y: 2 },
    { x: 15, y: 9 },
    { x: 40, y: 1 },
  ]);
});
