import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byPreference, byWeight } from '../../../modules/tm/contact-order.ts';
import type { Destination } from '../../../modules/tm/destinations.ts';

function destinations(...qs: readonly (number | null)[]): Destination[] {
  return qs.map((q, i) => ({ uri: `sip:${i}@a`, nextHop: null, q, path: null, sendSocket: null }));
}

function shown(groups: readonly (readonly Destination[])[]): string {
  return groups.map((group) => group.map(({ uri }) => uri.charAt(4)).join('')).join(' ');
}

test('contacts by preference: highest q first, the same q together, none last', () => {
  assert.equal(shown(byPreference(destinations(0.5, null, 1, 0.5, 0))), '2 03 4 1');
});

for (const [drawn, expected] of [
  [0, '0 1 3 2 4'],
  [0.49, '0 1 3 2 4'],
  [0.5, '1 0 3 2 4'],
  [0.99, '3 1 0 2 4'],
] as const) {
  test(`contacts by weight: drawing ${drawn} each time gives ${expected}; those without weight come last`, () => {
    assert.equal(shown(byWeight(destinations(0.5, 0.25, 0, 0.25, null), () => drawn)), expected);
  });
}

test('contacts by weight: comes first as often as its weight says', () => {
  const first = [0, 0, 0];
  for (let i = 0; i < 1_000; i += 1) {
    const [[one] = []] = byWeight(destinations(0.5, 0.25, 0.25), () => (i + 0.5) / 1_000);
    first[Number(one!.uri.charAt(4))]! += 1;
  }
  assert.deepEqual(first, [500, 250, 250]);
});

test('contacts: each comes exactly once, whatever is drawn', () => {
  const q = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(q, { maxLength: 12 }), random, (qs, drawn) => {
      const all = destinations(...qs);
      assert.deepEqual(new Set(byPreference(all).flat()), new Set(all));
      const groups = byWeight(all, () => drawn);
      assert.equal(groups.length, all.length);
      assert.deepEqual(new Set(groups.flat()), new Set(all));
    }),
  );
});
