import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Histogram } from '../../core/index.ts';
import { Figures } from '../../core/registry/figures.ts';

test('figures: nothing is read when a figure is declared, and the value of the moment when it is asked for', () => {
  const figures = new Figures();
  let count = 0;
  let reads = 0;
  figures.counter({
    name: 'x_total',
    help: 'X.',
    read: () => {
      reads += 1;
      return count;
    },
  });
  assert.equal(reads, 0);
  count = 7;
  const seen: unknown[] = [];
  for (const figure of figures.all)
    figure.read((labels: unknown, value: unknown) => void seen.push([labels, value]));
  assert.deepEqual([seen, reads], [[[{}, 7]], 1]);
});

test('figures: a labelled one gives a value for each thing', () => {
  const figures = new Figures();
  figures.gauge({
    name: 'depth',
    help: 'Depth.',
    labels: ['queue'],
    read(sample) {
      sample({ queue: 'a' }, 1);
      sample({ queue: 'b' }, 2);
    },
  });
  const seen: unknown[] = [];
  for (const figure of figures.all)
    figure.read((labels: unknown, value: unknown) => void seen.push([labels, value]));
  assert.deepEqual(seen, [
    [{ queue: 'a' }, 1],
    [{ queue: 'b' }, 2],
  ]);
});

/** Each: a figure, what is wrong with it. */
const wrong: readonly (readonly [(figures: Figures) => void, RegExp])[] = [
  [(figures) => figures.counter({ name: 'x', help: 'X.', read: () => 0 }), /'x': counters.*_total/],
  [(figures) => figures.gauge({ name: 'x_total', help: 'X.', read: () => 0 }), /'x_total': counters/],
  [(figures) => figures.gauge({ name: 'X-y', help: 'X.', read: () => 0 }), /'X-y': a name has small letters/],
  [(figures) => figures.gauge({ name: 'x', help: '', read: () => 0 }), /'x': it has no help text/],
  [
    (figures) => figures.gauge({ name: 'x', help: 'X.', labels: ['a b'], read: () => undefined }),
    /'a b' is no label/,
  ],
  [
    (figures) =>
      figures.histogram({ name: 'x', help: 'X.', labels: ['le'], bounds: [1], read: () => undefined }),
    /'le' is no label/,
  ],
  [
    (figures) => {
      figures.gauge({ name: 'x', help: 'X.', read: () => 0 });
      figures.gauge({ name: 'x', help: 'X.', read: () => 0 });
    },
    /'x': it has been declared before/,
  ],
];
for (const [declare, message] of wrong) {
  test(`figures: one that is wrong is refused: ${message.source}`, () => {
    assert.throws(() => declare(new Figures()), { code: 'ERR_METRIC', message });
  });
}

test('histogram: a value on a bound belongs to the bucket below it, one above all to the last', () => {
  const histogram = new Histogram([1, 2]);
  for (const value of [0.5, 1, 1.5, 2, 2.5]) histogram.observe(value);
  assert.deepEqual([histogram.counts, histogram.sum], [[2, 2, 1], 7.5]);
});

test('histogram: counts each value once, in the first bucket that takes it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 0, max: 120 })),
      (some, values) => {
        const bounds = some.toSorted((a, b) => a - b);
        const histogram = new Histogram(bounds);
        for (const value of values) histogram.observe(value);
        const expected = [...bounds, Number.POSITIVE_INFINITY].map(
          (bound, i) =>
            values.filter((value) => value <= bound && value > (bounds[i - 1] ?? Number.NEGATIVE_INFINITY))
              .length,
        );
        assert.deepEqual(histogram.counts, expected);
      },
    ),
  );
});

test('histogram: bounds that do not ascend are refused', () => {
  assert.throws(() => new Histogram([1, 1]), RangeError);
});
