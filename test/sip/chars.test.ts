import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isToken, unfold } from '../../core/sip/chars.ts';

test('chars: a token is letters, digits and the marks of RFC 3261 25.1', () => {
  for (const text of ['INVITE', '100rel', "-.!%*_+`'~"]) assert.ok(isToken(text), text);
  for (const text of ['', 'a b', 'a:b', 'a/b', 'a,b', '"a"', 'a\0', 'a\r\n', '\xe9', 'a\u0141']) {
    assert.ok(!isToken(text), JSON.stringify(text));
  }
});

test('chars: a fold and the white space around it become one space', () => {
  assert.equal(unfold('a \t\r\n \tb\r\n c'), 'a b c');
  assert.equal(unfold('a\r\n \r\n b'), 'a b');
  assert.equal(unfold('a  b'), 'a  b');
});
