import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseUri, printUri, type Uri, uriEquals, uriParam } from '../../core/sip/uri.ts';

function uri(text: string): Uri {
  const result = parseUri(text);
  if (!result.ok) throw new Error(`${text}: ${result.reason}`);
  return result.value;
}

const NONE = { user: null, password: null, port: null, params: [], headers: null };
const GOOD: readonly (readonly [string, Omit<Uri, 'text'>])[] = [
  ['sip:example.com', { ...NONE, scheme: 'sip', host: 'example.com' }],
  ['SIPS:a@b', { ...NONE, scheme: 'sips', user: 'a', host: 'b' }],
  ['sip:a:secret@b:5070', { ...NONE, scheme: 'sip', user: 'a', password: 'secret', host: 'b', port: 5070 }],
  ['sip:a:@b', { ...NONE, scheme: 'sip', user: 'a', password: '', host: 'b' }],
  ['sip:[2001:db8::10]:5070', { ...NONE, scheme: 'sip', host: '[2001:db8::10]', port: 5070 }],
  ['sip:user@[2001:db8::192.0.2.1]', { ...NONE, scheme: 'sip', user: 'user', host: '[2001:db8::192.0.2.1]' }],
  ['sip:[::]', { ...NONE, scheme: 'sip', host: '[::]' }],
  [
    'sip:sips%3Auser%40example.com@example.net',
    { ...NONE, scheme: 'sip', user: 'sips%3Auser%40example.com', host: 'example.net' },
  ],
  ["sip:;&=+$,?/-_.!~*'()@h", { ...NONE, scheme: 'sip', user: ";&=+$,?/-_.!~*'()", host: 'h' }],
  [
    'sip:h;LR;Transport=TCP;x=;y==a%41[:]',
    {
      ...NONE,
      scheme: 'sip',
      host: 'h',
      params: [
        { name: 'lr', value: null },
        { name: 'transport', value: 'TCP' },
        { name: 'x', value: '' },
        { name: 'y', value: '=a%41[:]' },
      ],
    },
  ],
  ['sip:h?a=b&c=', { ...NONE, scheme: 'sip', host: 'h', headers: 'a=b&c=' }],
  ['sip:my_host.', { ...NONE, scheme: 'sip', host: 'my_host.' }],
  [
    'tel:+1-201-555-0123;phone-context=example.com',
    {
      ...NONE,
      scheme: 'tel',
      user: '+1-201-555-0123',
      host: '',
      params: [{ name: 'phone-context', value: 'example.com' }],
    },
  ],
  ['soap.beep://192.0.2.103:3002', { ...NONE, scheme: 'soap.beep', host: '' }],
];
for (const [text, parts] of GOOD) {
  test(`uri: parses ${text}`, () => assert.deepEqual(uri(text), { text, ...parts }));
}

const BAD = [
  '',
  'sip',
  'sip:',
  'sip:@h',
  'sip:a@',
  'sip:a@@h',
  'sip:a@b@h',
  'sip:a b@h',
  'sip:a<@h',
  'sip:a"@h',
  'sip:a\0@h',
  'sip:\xfc@h',
  'sip:a%@h',
  'sip:a%4@h',
  'sip:a%4g@h',
  'sip:a:b:c@h',
  'sip:a:b?@h',
  'sip:h:',
  'sip:h:0',
  'sip:h:65536',
  'sip:h:-1',
  'sip:h:5060x',
  'sip:h:99999999999999999999',
  'sip:2001:db8::10',
  'sip:[2001:db8::10',
  'sip:2001:db8::10]',
  'sip:[]',
  'sip:[:]',
  'sip:[:::]',
  'sip:[1::2::3]',
  'sip:[1:2:3:4:5:6:7]',
  'sip:[1:2:3:4:5:6:7:8:9]',
  'sip:[1:2:3:4:5:6:7::8]',
  'sip:[12345::]',
  'sip:[g::]',
  'sip:[::1.2.3]',
  'sip:[::1.2.3.256]',
  'sip:[1.2.3.4::]',
  'sip:[fe80::1%25eth0]',
  'sip:[v1.x]',
  'sip:h;',
  'sip:h;;lr',
  'sip:h;=x',
  'sip:h;a="b"',
  'sip:h;a b',
  'sip:h?a=<b>',
  'sip:h?a\r\nb',
  'sip:h/path',
  '<sip:h>',
  ' sip:h',
  '1sip:h',
  'si p:h',
  ':h',
  'tel:',
  'tel:bob',
  'tel:+1 201',
  'http:',
  'http://a b',
];
for (const text of BAD) {
  test(`uri: rejects ${JSON.stringify(text)}`, () => {
    const result = parseUri(text);
    assert.ok(!result.ok);
    assert.ok(result.at >= 0 && result.at <= text.length);
  });
}

test('uri: uriParam gives a value, an empty string for none, null when absent', () => {
  const found = uri('sip:h;lr;Transport=TCP');
  assert.equal(uriParam(found, 'transport'), 'TCP');
  assert.equal(uriParam(found, 'lr'), '');
  assert.equal(uriParam(found, 'maddr'), null);
});

test('uri: prints what it parsed', () => {
  for (const text of ['sip:a:b@[::1]:5070;lr;x=1?y=z', 'sips:h', 'tel:+1;ext=2', 'sip:a:@h;x=']) {
    assert.equal(printUri(uri(text)), text);
  }
});

const EQUAL: readonly (readonly [string, string])[] = [
  ['sip:%61lice@EXAMPLE.com', 'sip:alice@example.COM'],
  ['SIP:a@h;lr', 'sip:a@h'],
  ['sip:a@h;x=AB', 'sip:a@h;X=ab'],
  ['sip:h?b=1&a=2', 'sip:h?A=2&b=1'],
  ['sip:a@[2001:db8::10]', 'sip:a@[2001:DB8:0:0::0010]'],
  ['sip:a%3b@h', 'sip:a%3B@h'],
  ['tel:+1-201-555-0123', 'tel:+1(201)5550123'],
  ['tel:1;b=2;phone-context=+1-2', 'tel:1;phone-context=+12;B=2'],
  ['isbn:1', 'ISBN:1'],
];
const DIFFERENT: readonly (readonly [string, string])[] = [
  ['sip:a@h', 'sips:a@h'],
  ['sip:a@h', 'sip:A@h'],
  ['sip:a@h', 'sip:h'],
  ['sip:a:b@h', 'sip:a@h'],
  ['sip:a@h', 'sip:a@h:5060'],
  ['sip:a@h;user=phone', 'sip:a@h'],
  ['sip:a@h', 'sip:a@h;ttl=1'],
  ['sip:a@h;method=INVITE', 'sip:a@h'],
  ['sip:a@h;maddr=x', 'sip:a@h'],
  ['sip:a@h;x=1', 'sip:a@h;x=2'],
  ['sip:a%3B@h', 'sip:a;@h'],
  ['sip:a%25@h', 'sip:a%2525@h'],
  ['sip:h?a=1', 'sip:h'],
  ['sip:h?a=1', 'sip:h?a=2'],
  ['sip:a@[2001:db8::10]', 'sip:a@[2001:db8::11]'],
  ['tel:+1', 'tel:1'],
  ['tel:1;phone-context=a.b', 'tel:1;phone-context=ab'],
  ['tel:1;x', 'tel:1'],
  ['tel:1;x', 'tel:1;y'],
  ['isbn:1', 'isbn:2'],
];
function equalBothWays(a: string, b: string): boolean {
  const forth = uriEquals(uri(a), uri(b));
  assert.equal(uriEquals(uri(b), uri(a)), forth, 'not symmetric');
  return forth;
}
for (const [a, b] of EQUAL) test(`uri: ${a} equals ${b}`, () => assert.ok(equalBothWays(a, b)));
for (const [a, b] of DIFFERENT) test(`uri: ${a} differs from ${b}`, () => assert.ok(!equalBothWays(a, b)));

const vectorFile = join(
  resolve(process.env['KAMAIKI_TEST_MATERIAL'] ?? '../shared/tests'),
  'rfc_vectors.json',
);
const EQUIVALENT = 'uri_equivalent_rfc3261_19.1.4';
const NOT_EQUIVALENT = 'uri_not_equivalent_rfc3261_19.1.4';
type Vectors = Record<typeof EQUIVALENT | typeof NOT_EQUIVALENT, [string, string][]>;
function isVectors(value: unknown): value is Vectors {
  return typeof value === 'object' && value !== null && EQUIVALENT in value && NOT_EQUIVALENT in value;
}
test('uri: equality is that of RFC 3261 19.1.4', {
  skip: !existsSync(vectorFile) && `no test material: ${vectorFile}`,
}, () => {
  const vectors: unknown = JSON.parse(readFileSync(vectorFile, 'utf8'));
  assert.ok(isVectors(vectors));
  assert.ok(vectors[EQUIVALENT].length > 0 && vectors[NOT_EQUIVALENT].length > 0);
  for (const [a, b] of vectors[EQUIVALENT]) assert.ok(equalBothWays(a, b), `${a} ${b}`);
  for (const [a, b] of vectors[NOT_EQUIVALENT]) assert.ok(!equalBothWays(a, b), `${a} ${b}`);
});
