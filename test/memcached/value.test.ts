import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeValue, encodeDelta, encodeValue, valueLimit } from '../../modules/memcached/value.ts';

test('value: integers are decimal text with flags 0, strings their bytes with flags 1', () => {
  for (const [value, flags, bytes] of [
    [0, 0, '0'],
    [-0, 0, '0'],
    [1234567890123, 0, '1234567890123'],
    [-5, 0, '-5'],
    [2n ** 64n - 1n, 0, '18446744073709551615'],
    ['', 1, ''],
    ['5', 1, '5'],
    ['a b\r\n', 1, 'a b\r\n'],
    ['é', 1, '\xc3\xa9'],
  ] as const) {
    assert.deepEqual(encodeValue(value, 'k'), { flags, bytes });
  }
});

test('value: an integer of more than 64 bits is a string', () => {
  for (const [integer, flags] of [
    [2n ** 64n - 1n, 0],
    [2n ** 64n, 1],
    [10n ** 19n, 0],
    [10n ** 20n, 1],
    [-(2n ** 63n), 0],
    [-(2n ** 63n) - 1n, 1],
    [-(10n ** 19n), 1],
  ] as const) {
    const bytes = String(integer);
    assert.deepEqual(encodeValue(integer, 'k'), { flags, bytes });
    assert.equal(decodeValue({ flags: 0, bytes }, false), flags === 0 ? integer : bytes);
    assert.equal(decodeValue({ flags: 0, bytes }, true), bytes);
  }
});

test('value: text of more digits than 64 bits come to is a string, however long', () => {
  for (const bytes of ['9'.repeat(21), '0'.repeat(21), `-${'9'.repeat(20)}`, '9'.repeat(1_000_000)]) {
    assert.equal(decodeValue({ flags: 0, bytes }, false), bytes);
  }
  assert.equal(decodeValue({ flags: 0, bytes: `5${' '.repeat(100)}` }, false), 5);
});

test('value: what is neither string nor integer is refused', () => {
  for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, true, undefined, null, {}]) {
    assert.throws(() => Reflect.apply(encodeValue, undefined, [value, 'k']), { code: 'ERR_MEMCACHED_VALUE' });
  }
});

test('value: flags bit 0 says string, otherwise integer text is a number', () => {
  for (const [flags, bytes, value] of [
    [1, '5', '5'],
    [3, '5', '5'],
    [0, '5', 5],
    [2, '5', 5],
    [0, '9 ', 9],
    [0, '0                   ', 0],
    [0, '-5', -5],
    [0, '9007199254740991', 9007199254740991],
    [0, '9007199254740992', 9007199254740992n],
    [0, '18446744073709551615', 18446744073709551615n],
    [0, 'abc', 'abc'],
    [0, '', ''],
    [0, '5x', '5x'],
    [0, '1.5', '1.5'],
    [1, ' padded ', ' padded '],
    [1, '\xc3\xa9', 'é'],
  ] as const) {
    assert.equal(decodeValue({ flags, bytes }, false), value);
  }
});

test('value: with stringify integers are read as strings, without their padding', () => {
  assert.equal(decodeValue({ flags: 0, bytes: '9 ' }, true), '9');
  assert.equal(decodeValue({ flags: 1, bytes: '9 ' }, true), '9 ');
});

test('value: what was encoded is read back', () => {
  const value = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), fc.bigInt());
  fc.assert(
    fc.property(value, (written) => {
      const read = decodeValue(encodeValue(written, 'k'), false);
      if (typeof written === 'bigint') assert.equal(BigInt(read), written);
      else assert.ok(read === written, `${typeof read} ${read}`);
    }),
  );
});

test('value: a delta is an integer from 0 to 2^64-1', () => {
  assert.equal(encodeDelta(0, '$mcinc', 'k'), '0');
  assert.equal(encodeDelta(2n ** 64n - 1n, '$mcinc', 'k'), '18446744073709551615');
  for (const delta of [-1, 1.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n, '1', null, undefined]) {
    assert.throws(() => Reflect.apply(encodeDelta, undefined, [delta, '$mcinc', 'k']), {
      code: 'ERR_MEMCACHED_VALUE',
    });
  }
});

test('value: the limit leaves room for key and overhead', () => {
  // The largest values that memcached 1.6.18 takes.
  assert.equal(valueLimit('a', 0), 1_048_516);
  assert.equal(valueLimit('a', 1), 1_048_512);
  assert.equal(valueLimit('k'.repeat(249), 1), 1_048_264);
});
