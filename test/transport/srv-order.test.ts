import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { orderByWeight, randomFrom } from '../../core/transport/srv-order.ts';

interface Named {
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
}

/** Records `a`, `b`, … of these priorities and weights. */
function records(...ranks: readonly (readonly [priority: number, weight: number])[]): Named[] {
  return ranks.map(([priority, weight], i) => ({ name: String.fromCharCode(97 + i), priority, weight }));
}

/** Gives these numbers, one each time. */
function given(...numbers: readonly number[]): () => number {
  const left = [...numbers];
  return () => left.shift() ?? assert.fail('no more numbers');
}

function names(ordered: readonly Named[]): string {
  return ordered.map(({ name }) => name).join('');
}

const ORDERS: readonly [what: string, records: Named[], numbers: number[], wanted: string][] = [
  ['nothing from nothing', [], [], ''],
  ['lower priority goes first, without a draw', records([20, 9], [10, 0], [30, 1]), [], 'bac'],
  ['0 draws the first of equals', records([1, 10], [1, 30]), [0], 'ab'],
  ['a number up to the first weight draws the first', records([1, 10], [1, 30]), [10 / 41], 'ab'],
  ['a number above it draws the second', records([1, 10], [1, 30]), [11 / 41], 'ba'],
  ['the highest number draws the last', records([1, 10], [1, 30]), [0.999999], 'ba'],
  ['what is left is drawn again', records([1, 1], [1, 1], [1, 2]), [0.999999, 0], 'cab'],
  ['no weight goes first when 0 is drawn', records([1, 10], [1, 0]), [0], 'ba'],
  ['no weight goes behind when more is drawn', records([1, 10], [1, 0]), [0.5], 'ab'],
  ['without weights the given order stays', records([1, 0], [1, 0]), [0.9], 'ab'],
];
for (const [what, list, numbers, wanted] of ORDERS) {
  test(`srv order: ${what}`, () => assert.equal(names(orderByWeight(list, given(...numbers))), wanted));
}

test('srv order: a record is first as often as its weight among its equals says', () => {
  const list = records([1, 60], [1, 30], [1, 10], [2, 1_000]);
  const first: Record<string, number> = { a: 0, b: 0, c: 0, d: 0 };
  for (let call = 0; call < 10_000; call += 1) {
    const [record] = orderByWeight(list, randomFrom(`${call}@192.0.2.1`));
    if (record !== undefined) first[record.name] = (first[record.name] ?? 0) + 1;
  }
  const shares = Object.values(first).map((count) => Math.round(count / 1_000));
  assert.deepEqual(shares, [6, 3, 1, 0], JSON.stringify(first));
});

test('srv order: every record is there once, priorities ascend', () => {
  const rank = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 65_535 }));
  fc.assert(
    fc.property(fc.array(rank, { maxLength: 16 }), fc.string(), (ranks, seed) => {
      const list = records(...ranks);
      const ordered = orderByWeight(list, randomFrom(seed));
      assert.deepEqual(new Set(ordered), new Set(list));
      assert.equal(ordered.length, list.length);
      assert.deepEqual(
        ordered.map(({ priority }) => priority),
        list.map(({ priority }) => priority).toSorted((a, b) => a - b),
      );
    }),
  );
});

test('random from a text: the same numbers for the same text, from 0 to below 1', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const [one, two] = [randomFrom(text), randomFrom(text)];
      for (let i = 0; i < 10; i += 1) {
        const number = one();
        assert.equal(two(), number);
        assert.ok(number >= 0 && number < 1);
      }
    }),
  );
});
