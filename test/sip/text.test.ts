import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeText, encodeText } from '../../core/sip/text.ts';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

test('text: ASCII comes back as the same string', () => {
  const text = 'sip:a@b\0\r\n\x7f';
  assert.equal(decodeText(text), text);
  assert.equal(encodeText(text), text);
});

test('text: every byte string survives decoding and encoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(encodeText(decodeText(latin1(bytes))), latin1(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('text: valid UTF-8 decodes as Node.js decodes it, and text encodes as Node.js encodes it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = Buffer.from(text, 'utf8').toString('latin1');
      assert.equal(decodeText(bytes), text);
      assert.equal(encodeText(text), bytes);
    }),
  );
});

const INVALID: readonly (readonly [string, string])[] = [
  ['a byte alone', '\xff'],
  ['a continuation alone', '\x80'],
  ['an overlong slash', '\xc0\xaf'],
  ['an overlong three-byte char', '\xe0\x80\xaf'],
  ['an overlong four-byte char', '\xf0\x80\x80\xaf'],
  ['a surrogate', '\xed\xa0\x80'],
  ['a char beyond U+10FFFF', '\xf4\x90\x80\x80'],
  ['a cut sequence', '\xe2\x82'],
];
for (const [what, bytes] of INVALID) {
  test(`text: ${what} becomes one char U+DCxx a byte`, () => {
    const text = decodeText(bytes);
    assert.equal(text.length, bytes.length);
    for (let i = 0; i < text.length; i++) assert.equal(text.charCodeAt(i), 0xdc00 | bytes.charCodeAt(i));
    assert.equal(encodeText(text), bytes);
  });
}

test('text: other lone surrogates are encoded as U+FFFD', () => {
  assert.equal(encodeText('\ud800'), '\xef\xbf\xbd');
  assert.equal(encodeText('\udc00'), '\xef\xbf\xbd');
});
