import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incomingMaxBreadth, withMaxBreadth } from '../../core/sip/max-breadth.ts';
import { printRequest } from '../../core/sip/print.ts';
import { linesOf, proxyPoint, request } from '../modules/fake-core.ts';

for (const [given, breadth] of [
  [[], 60],
  [['Max-Breadth: 60'], 60],
  [['Max-Breadth: 7'], 7],
  [['max-breadth:  1'], 1],
  [['Max-Breadth: 0'], 0],
  [['Max-Breadth: 61'], 60],
  [['Max-Breadth: 99999999999999999999'], 60],
  [['Max-Breadth: -1'], 60],
  [['Max-Breadth: 5;x'], 60],
  [['Max-Breadth:'], 60],
  [['Max-Breadth: 9', 'Max-Breadth: 4'], 4],
] as const) {
  test(`max-breadth: ${given.join(' and ') || 'none'} counts as ${breadth}`, () => {
    assert.equal(incomingMaxBreadth(request({ headers: given })), breadth);
  });

  test(`max-breadth: ${given.join(' and ') || 'none'} leaves as one line`, () => {
    const msg = request({ headers: given });
    const edits = withMaxBreadth(msg, msg.edits, 3);
    const bytes = printRequest(msg, { uri: msg.uri, edits, via: null, out: proxyPoint, maxForwards: 69 });
    assert.deepEqual(linesOf(bytes.toString('latin1'), 'max-breadth'), ['Max-Breadth: 3']);
    assert.deepEqual(linesOf(bytes.toString('latin1'), 'max-forwards'), ['Max-Forwards: 69']);
    assert.equal(msg.edits.size, 0);
  });
}

test('max-breadth: a request that has the right one needs no edit', () => {
  const msg = request({ headers: ['Max-Breadth: 60'] });
  assert.equal(withMaxBreadth(msg, msg.edits, 60), msg.edits);
});

test('max-breadth: a request without Max-Forwards gets it too', () => {
  const msg = request({ maxForwards: null });
  const edits = withMaxBreadth(msg, msg.edits, 60);
  const bytes = printRequest(msg, { uri: msg.uri, edits, via: null, out: proxyPoint, maxForwards: 70 });
  assert.deepEqual(linesOf(bytes.toString('latin1'), 'max-breadth'), ['Max-Breadth: 60']);
});
