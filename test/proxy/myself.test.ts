import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Myself } from '../../core/proxy/myself.ts';
import { parseUri } from '../../core/sip/uri.ts';
import { point } from '../modules/fake-core.ts';

const myself = new Myself(
  [
    { ...point('10.0.0.1', 5070), advertisedHost: 'sip.example.net', advertisedPort: 5080 },
    { ...point('2001:db8::1'), family: 6, advertisedHost: '[2001:db8::1]' },
  ],
  [
    { host: 'Example.COM', port: null },
    { host: 'edge.example.org', port: 5061 },
    { host: 'web.example.org', port: 80 },
    { host: 'web.example.org', port: 443 },
  ],
);

const HOSTS: readonly (readonly [string, number | null, boolean])[] = [
  ['10.0.0.1', 5070, true],
  ['10.0.0.1', 5060, false],
  ['10.0.0.2', 5070, false],
  ['sip.example.net', 5080, true],
  ['SIP.Example.Net', 5080, true],
  ['sip.example.net', 5070, false],
  ['2001:db8::1', 5060, true],
  ['[2001:db8::1]', 5060, true],
  ['[2001:0DB8:0:0:0:0:0:1]', 5060, true],
  ['2001:db8::2', 5060, false],
  ['example.com', 1, true],
  ['EXAMPLE.com', 65_535, true],
  ['www.example.com', 5060, false],
  ['edge.example.org', 5061, true],
  ['edge.example.org', 5060, false],
  ['', 5060, false],
];
for (const [host, port, wanted] of HOSTS) {
  test(`myself: '${host}' at ${port} is ${wanted ? '' : 'not '}this proxy`, () => {
    assert.equal(myself.isMyself(host, port), wanted);
  });
}

test('myself: without a port every port counts', () => {
  for (const host of ['10.0.0.1', 'sip.example.net', '[2001:db8::1]', 'example.com', 'edge.example.org'])
    assert.equal(myself.isMyself(host, null), true, host);
  assert.equal(myself.isMyself('10.0.0.2', null), false);
});

const URIS: readonly (readonly [string, boolean])[] = [
  ['sip:[2001:db8::1]', true],
  ['sip:10.0.0.1', false],
  ['sip:alice@10.0.0.1:5070', true],
  ['sip:example.com:4999;transport=tcp', true],
  ['sips:edge.example.org', true],
  ['sip:edge.example.org;transport=TLS', true],
  ['sip:edge.example.org', false],
  ['sip:web.example.org;transport=ws', true],
  ['sip:web.example.org;transport=wss', true],
  ['sip:web.example.org', false],
  ['tel:+15551234', false],
];
for (const [text, wanted] of URIS) {
  test(`myself: ${text} ${wanted ? 'is' : 'is not'} a URI of this proxy`, () => {
    const uri = parseUri(text);
    assert.ok(uri.ok);
    assert.equal(myself.isMyselfUri(uri.value), wanted);
  });
}

test('myself: a proxy that does not listen yet knows its aliases only', () => {
  const names = new Myself([], [{ host: 'example.com', port: null }]);
  assert.deepEqual([names.isMyself('example.com', 5060), names.isMyself('10.0.0.1', 5060)], [true, false]);
});

test('myself: a wildcard address means every address of the machine of its family, at its port', () => {
  const everywhere = new Myself([point('0.0.0.0', 5070)], [], ['192.0.2.7', '127.0.0.1', 'fe80::1']);
  for (const host of ['192.0.2.7', '127.0.0.1']) {
    assert.equal(everywhere.isMyself(host, 5070), true, host);
    assert.equal(everywhere.isMyself(host, 5060), false, host);
  }
  assert.equal(everywhere.isMyself('fe80::1', 5070), false);
  assert.equal(everywhere.isMyself('192.0.2.8', 5070), false);
});
