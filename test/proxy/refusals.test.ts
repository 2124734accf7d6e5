import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusals } from '../../core/proxy/refusals.ts';
import { request } from '../modules/fake-core.ts';

const nth = (n: number) => request({ branch: `z9hG4bK${n}` });

test('refusals: a retransmission is known, another attempt is not', () => {
  const refusals = new Refusals();
  assert.equal(refusals.has(request()), false);
  refusals.add(request());
  assert.equal(refusals.has(request({ headers: ['X-Again: 1'] })), true);
  assert.equal(refusals.has(request({ branch: 'z9hG4bKother' })), false);
});

test('refusals: of more than 20,000 the first are forgotten, and the last 10,000 are not', () => {
  const refusals = new Refusals();
  for (let n = 0; n < 20_001; n += 1) refusals.add(nth(n));
  assert.equal(refusals.has(nth(0)), false);
  for (let n = 10_001; n < 20_001; n += 1) assert.ok(refusals.has(nth(n)), String(n));
});
