import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerParam, parseNameAddr, parseNameAddrs } from '../../core/sip/name-addr.ts';

type Wanted = readonly [displayName: string | null, uriText: string, tag: string | null];
const GOOD: readonly (readonly [string, Wanted])[] = [
  ['<sip:a@b>', [null, 'sip:a@b', null]],
  ['sip:a@b;tag=x', [null, 'sip:a@b', 'x']],
  ['sip:a@b ;  TAG  =  x', [null, 'sip:a@b', 'x']],
  ['<sip:a@b;tag=inner>;tag=outer', [null, 'sip:a@b;tag=inner', 'outer']],
  ['<sip:a@b?x=y>', [null, 'sip:a@b?x=y', null]],
  ['caller<sip:a@b>', ['caller', 'sip:a@b', null]],
  ['Two  Words <sip:a@b>', ['Two  Words', 'sip:a@b', null]],
  ['"q \\" , <x> ; \\\\" <sip:a@b>', ['"q \\" , <x> ; \\\\"', 'sip:a@b', null]],
  ['""<sip:a@b>', ['""', 'sip:a@b', null]],
  ['"J"\r\n  <sip:a@b>\r\n ;\r\n tag = 9', ['"J"', 'sip:a@b', '9']],
  ['Two\r\n Words <sip:a@b>', ['Two Words', 'sip:a@b', null]],
  ['J\xc3\xbcrgen <sip:a@b>', ['J\xc3\xbcrgen', 'sip:a@b', null]],
  ['<sip:a@b>;tag', [null, 'sip:a@b', '']],
  ['<sip:a@b>;tag=', [null, 'sip:a@b', '']],
  ['<sip:a@b>;x=";tag=no";tag=yes', [null, 'sip:a@b', 'yes']],
  ['isbn:2983792873', [null, 'isbn:2983792873', null]],
  ['<sip:a\u013eb>', [null, 'sip:a\u013eb', null]],
];
for (const [text, [displayName, uriText, tag]] of GOOD) {
  test(`name-addr: parses ${JSON.stringify(text)}`, () => {
    const result = parseNameAddr(text);
    assert.ok(result.ok);
    assert.equal(result.value.displayName, displayName);
    assert.equal(result.value.uriText, uriText);
    assert.equal(result.value.tag, tag);
    assert.equal(headerParam(result.value.params, 'tag'), tag);
    assert.equal(result.value.end, text.length);
  });
}

const BAD = [
  '',
  ' ',
  ';tag=x',
  '"open <sip:a@b>',
  '"no uri"',
  '"no uri";tag=x',
  '"a" b <sip:a@b>',
  'a "b" <sip:a@b>',
  '<sip:a@b',
  '<>',
  '< sip:a@b >',
  '<sip:a@b\t>',
  '<sip:<a@b>',
  '<sip:a@b> x',
  '<sip:a@b>;',
  '<sip:a@b>;;x',
  '<sip:a@b>;x="y',
  '<sip:a@b>;x=y"z"',
  '<sip:a@b>;tag=1;tag=1',
  'sip:a@b?x=y',
  'sip:a@b>',
  'sip:a"b',
  'sip:a@b c',
];
for (const text of BAD) {
  test(`name-addr: rejects ${JSON.stringify(text)}`, () => {
    const result = parseNameAddr(text);
    assert.ok(!result.ok);
    assert.ok(result.at >= 0 && result.at <= text.length);
  });
}

test('name-addr: stops at a comma outside quotes and brackets, and starts where told', () => {
  const text = '"a, b" <sip:c,d@e>;x="f,g" , sip:h,sip:i';
  const first = parseNameAddr(text);
  assert.ok(first.ok);
  assert.equal(text[first.value.end], ',');
  const second = parseNameAddr(text, first.value.end + 1);
  assert.ok(second.ok);
  assert.equal(second.value.uriText, 'sip:h');
  const all = parseNameAddrs(text);
  assert.ok(all.ok);
  assert.deepEqual(
    all.value.map((one) => one.uriText),
    ['sip:c,d@e', 'sip:h', 'sip:i'],
  );
});

test('name-addr: a list with an empty value is malformed', () => {
  for (const text of ['', 'sip:a,', ',sip:a', 'sip:a,,sip:b']) assert.equal(parseNameAddrs(text).ok, false);
});

test('name-addr: the URI is parsed when asked for, once', () => {
  const good = parseNameAddr('<sip:a@b>');
  const bad = parseNameAddr('<nothing>');
  assert.ok(good.ok && bad.ok);
  assert.ok(good.value.uri.ok);
  assert.equal(good.value.uri, good.value.uri);
  assert.equal(bad.value.uri.ok, false);
});

test('name-addr: parameters keep their values, names come in lower case', () => {
  const result = parseNameAddr('<sip:a@b>;Expires=3 ; q;+sip.Instance="<urn:\\"x>"');
  assert.ok(result.ok);
  assert.deepEqual(result.value.params, [
    { name: 'expires', value: '3' },
    { name: 'q', value: null },
    { name: '+sip.instance', value: '"<urn:\\"x>"' },
  ]);
  assert.equal(headerParam(result.value.params, 'q'), '');
  assert.equal(headerParam(result.value.params, 'tag'), null);
});
