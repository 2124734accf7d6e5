import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Param, param, readParam } from '../../core/registry/params.ts';

const timeout = param.int({ default: 250, min: 1, max: 60_000, unit: 'ms', doc: 'Deadline.' });
const mode = param.oneOf([0, 1], { default: 0, doc: 'Mode.' });
const level = param.oneOf(['low', 'high'], { default: 'low', doc: 'Level.' });
const flag = param.bool({ default: false, doc: 'Flag.' });
const text = param.string({ default: 'x', doc: 'Text.' });
const even = param.string({
  default: 'ab',
  doc: 'Even.',
  expected: 'an even number of characters',
  check: (value) => (value.length % 2 === 0 ? null : 'one too many'),
});

const ACCEPTED: readonly (readonly [string, Param, unknown, unknown])[] = [
  ['the default for a value left out', timeout, undefined, 250],
  ['the lowest integer', timeout, 1, 1],
  ['the highest integer', timeout, 60_000, 60_000],
  ['a number of a list', mode, 1, 1],
  ['a word of a list', level, 'high', 'high'],
  ['true', flag, true, true],
  ['1 for true, as in a modparam', flag, 1, true],
  ['0 for false', flag, 0, false],
  ['the default of a flag', flag, undefined, false],
  ['any text', text, 'any', 'any'],
  ['text that its check lets pass', even, 'abcd', 'abcd'],
];
for (const [name, declared, value, expected] of ACCEPTED) {
  test(`param: accepts ${name}`, () => {
    assert.deepEqual(readParam(declared, value), { ok: true, value: expected });
  });
}

const REFUSED: readonly (readonly [string, Param, unknown, string, string])[] = [
  ['an integer below the range', timeout, 0, '0', ''],
  ['an integer above the range', timeout, 60_001, '60001', ''],
  ['a fraction', timeout, 1.5, '1.5', ''],
  ['an unsafe integer', param.int({ default: 0, unit: 'count', doc: '' }), 2 ** 53, '9007199254740992', ''],
  ['a number written as text', timeout, '5', '"5"', ''],
  ['null', timeout, null, 'null', ''],
  ['a number out of a list', mode, 2, '2', ''],
  ['a word out of a list', level, 'mid', '"mid"', ''],
  ['2 for a flag', flag, 2, '2', ''],
  ['a number for text', text, 5, '5', ''],
  ['text that its check refuses', even, 'abc', '"abc"', ': one too many'],
  ['long text, cut in the message', text, ['x'.repeat(100)], `["${'x'.repeat(58)}…`, ''],
];
for (const [name, declared, value, found, why] of REFUSED) {
  test(`param: refuses ${name}`, () => {
    assert.deepEqual(readParam(declared, value), { ok: false, found, why });
  });
}

const int = (bounds: { min?: number; max?: number }, unit: 'ms' | 'count' = 'ms') =>
  param.int({ default: 1, doc: '', unit, ...bounds }).expected;

test('param: says what it expects in words derived from its bounds', () => {
  assert.equal(int({ min: 1, max: 60_000 }), 'an integer from 1 to 60000 (ms)');
  assert.equal(int({ min: 0, max: 255 }, 'count'), 'an integer from 0 to 255');
  assert.equal(int({ min: 0 }), 'an integer of at least 0 (ms)');
  assert.equal(int({ max: 9 }), 'an integer of at most 9 (ms)');
  assert.equal(int({}, 'count'), 'an integer');
  assert.equal(mode.expected, 'one of 0, 1');
  assert.equal(flag.expected, 'true or false');
  assert.equal(text.expected, 'a string');
});

const pairs = param.texts({
  doc: 'Pairs.',
  expected: 'words by name',
  checkName: (name) => (name === 'bad' ? 'a bad name' : null),
  check: (value) => (value.includes(' ') ? 'it has a space' : null),
  redact: (value) => (value === 'secret word' ? 'not shown' : JSON.stringify(value)),
});

test('param: texts by name are taken as they are, and left out there are none', () => {
  assert.deepEqual(readParam(pairs, { a: 'x', b: '' }), { ok: true, value: { a: 'x', b: '' } });
  assert.deepEqual(readParam(pairs, undefined), { ok: true, value: {} });
});

test('param: each wrong one of several texts is a mistake of its own, which shows no more than it may', () => {
  const result = readParam(pairs, { a: 'x', b: 'secret word', c: 'y z', d: 5, bad: 'v' });
  assert.deepEqual(result.ok ? [] : result.parts, [
    { part: 'b', found: 'not shown', why: ': it has a space' },
    { part: 'c', found: '"y z"', why: ': it has a space' },
    { part: 'd', found: '5', why: '' },
    { part: 'bad', found: '"v"', why: ': a bad name' },
  ]);
});

test('param: what is no mapping is wrong as a whole', () => {
  for (const value of [5, 'x', null, ['x']]) {
    const result = readParam(pairs, value);
    assert.equal(!result.ok && result.parts === undefined && result.found, JSON.stringify(value));
  }
});
