import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits, Edits } from '../../core/sip/edits.ts';
import { POINT } from './sample.ts';

const HEAD = '0123456789';

function applied(change: (edits: Edits) => void, range = { start: 0, end: HEAD.length }): string {
  const edits = new Edits();
  change(edits);
  return applyEdits(HEAD, range, edits.list, POINT);
}

const CASES: readonly (readonly [string, (edits: Edits) => void, string])[] = [
  ['no edit leaves everything', () => {}, HEAD],
  ['an insert at the start', (e) => e.insert(0, 'a'), 'a0123456789'],
  ['an insert at the end', (e) => e.insert(10, 'a'), '0123456789a'],
  [
    'inserts at one offset, in the order made',
    (e) => {
      e.insert(5, 'a');
      e.insert(5, 'b');
    },
    '01234ab56789',
  ],
  [
    'an insert at the start of a replaced range stands in front of what is there now, also one made later',
    (e) => {
      e.insert(2, 'a');
      e.replace(2, 5, 'xyz');
      e.insert(2, 'b');
    },
    '01abxyz56789',
  ],
  [
    'edits made in any order',
    (e) => {
      e.insert(8, 'c');
      e.remove(2, 4);
      e.replace(0, 1, 'a');
    },
    'a14567c89',
  ],
  [
    'overlapping removes merge',
    (e) => {
      e.remove(2, 6);
      e.remove(4, 8);
      e.remove(3, 5);
    },
    '0189',
  ],
  [
    'an insert inside a removed range goes with it, also one made before',
    (e) => {
      e.insert(4, 'a');
      e.remove(2, 8);
      e.insert(5, 'b');
    },
    '0189',
  ],
  [
    'inserts at the ends of a removed range stay',
    (e) => {
      e.insert(2, 'a');
      e.remove(2, 8);
      e.insert(2, 'b');
      e.insert(8, 'c');
    },
    '01abc89',
  ],
  [
    'a replacement inside a removed range goes with it, wherever it begins and ends',
    (e) => {
      e.replace(2, 4, 'a');
      e.replace(4, 6, 'b');
      e.replace(6, 8, 'c');
      e.remove(2, 8);
    },
    '0189',
  ],
  [
    'a replacement that goes beyond a removed range stays',
    (e) => {
      e.remove(2, 5);
      e.replace(4, 7, 'a');
    },
    '01a789',
  ],
  [
    'of two changes to one range the later counts',
    (e) => {
      e.replace(2, 5, 'a');
      e.replace(2, 5, 'b');
    },
    '01b56789',
  ],
  [
    'a replacement, then an insert at its start',
    (e) => {
      e.replace(2, 4, 'a');
      e.insert(2, 'b');
    },
    '01ba456789',
  ],
  [
    'a text that depends on the socket',
    (e) => e.insert(1, (out) => `<${out.sentBy}>`),
    '0<192.0.2.1:5060>123456789',
  ],
  [
    'a text that is no byte string is written in UTF-8',
    (e) => e.insert(0, '\u010d\u010a'),
    '\xc4\x8d\xc4\x8a0123456789',
  ],
  ['so is one from a function', (e) => e.insert(0, () => '\u010a'), '\xc4\x8a0123456789'],
];
for (const [what, change, wanted] of CASES) {
  test(`edits: ${what}`, () => assert.equal(applied(change), wanted));
}

test('edits: a part of the head takes the edits in it, those at its end included', () => {
  const inside = applied(
    (e) => {
      e.insert(1, 'x');
      e.insert(2, 'a');
      e.remove(3, 8);
      e.insert(5, 'b');
      e.insert(7, 'y');
    },
    { start: 2, end: 5 },
  );
  assert.equal(inside, 'a2');
});

test('edits: a fork does not touch its origin, nor the origin its fork', () => {
  const edits = new Edits();
  edits.insert(0, 'a');
  const fork = edits.fork();
  fork.insert(1, 'b');
  edits.insert(2, 'c');
  assert.equal(edits.size, 2);
  assert.equal(applyEdits(HEAD, { start: 0, end: 10 }, edits.list, POINT), 'a01c23456789');
  assert.equal(applyEdits(HEAD, { start: 0, end: 10 }, fork.list, POINT), 'a0b123456789');
  assert.equal(new Edits().fork().size, 0);
});

test('edits: removes tells whether a char is gone', () => {
  const edits = new Edits();
  edits.insert(1, 'a');
  edits.replace(3, 5, 'b');
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((at) => edits.removes(at)),
    [false, false, true, true, false],
  );
});
