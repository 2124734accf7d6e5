import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headText } from '../../core/sip/head-text.ts';
import { parseVia, type Via } from '../../core/sip/via.ts';

type Wanted = Partial<Omit<Via, 'params' | 'start' | 'end'>>;
const GOOD: readonly (readonly [string, Wanted])[] = [
  ['SIP/2.0/UDP h', { transport: 'UDP', host: 'h', port: null, branch: null, rport: null }],
  ['SIP/2.0/tls-sctp h:5', { transport: 'TLS-SCTP', host: 'h', port: 5 }],
  ['SIP/2.0/UDP h;branch=z9hG4bK%f', { branch: 'z9hG4bK%f' }],
  ['SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=x', { transport: 'UDP', host: '192.0.2.2', branch: 'x' }],
  ['SIP / 2.0 / UDP  host : 5060 ; branch = x', { host: 'host', port: 5060, branch: 'x' }],
  ['SIP/2.0/UDP h ;\r\n  BRANCH  =   x', { branch: 'x' }],
  ['SIP/2.0/UDP [2001:db8::9:1]:6050;branch=x', { host: '[2001:db8::9:1]', port: 6050 }],
  ['SIP/2.0/UDP h;received=2001:db8::9:255;branch=x', { received: '2001:db8::9:255', branch: 'x' }],
  ['SIP/2.0/UDP h;received=[2001:db8::9:255]', { received: '2001:db8::9:255' }],
  ['SIP/2.0/UDP h;rport', { rport: 0 }],
  ['SIP/2.0/UDP h;rport=', { rport: 0 }],
  ['SIP/2.0/UDP h;rport=40000', { rport: 40_000 }],
  ['SIP/2.0/UDP h;maddr=224.2.0.1;ttl=16', { maddr: '224.2.0.1' }],
  ['SIP/2.0/WS x.invalid;x="a,b;c"', { transport: 'WS', host: 'x.invalid' }],
];
for (const [text, wanted] of GOOD) {
  test(`via: parses ${JSON.stringify(text)}`, () => {
    const result = parseVia(headText(text), 0, text.length);
    assert.ok(result.ok);
    for (const [key, value] of Object.entries(wanted)) {
      assert.equal(Object.entries(result.value).find(([name]) => name === key)?.[1], value, key);
    }
    assert.equal(result.value.end, text.length);
  });
}

const BAD = [
  '',
  'SIP/2.0/UDP',
  'SIP/2.0/UDP ',
  'SIP/2.0 h',
  'SIP/2.0/ h',
  '/2.0/UDP h',
  'SIP/2.0/UDP h:',
  'SIP/2.0/UDP h:x',
  'SIP/2.0/UDP h:0',
  'SIP/2.0/UDP h:70000',
  'SIP/2.0/UDP [2001:db8::9',
  'SIP/2.0/UDP [x]',
  'SIP/2.0/UDP 2001:db8::9:1',
  'SIP/2.0/UDP h x',
  'SIP/2.0/UDP h;',
  'SIP/2.0/UDP h;branch="x',
  'SIP/2.0/UDP h;branch=a;branch=b',
  'SIP/2.0/UDP h;received=1.2.3.4;received=5.6.7.8',
  'SIP/2.0/UDP h;rport=1;rport=2',
  'SIP/2.0/UDP h;maddr=a;maddr=b',
  'SIP/2.0/UDP h;rport=x',
  'SIP/2.0/UDP h;rport=70000',
];
for (const text of BAD) {
  test(`via: rejects ${JSON.stringify(text)}`, () => {
    const result = parseVia(headText(text), 0, text.length);
    assert.ok(!result.ok);
    assert.ok(result.at >= 0 && result.at <= text.length);
  });
}

test('via: knows where a value of a list starts and ends', () => {
  const text = 'xx  SIP/2.0/UDP a ; b = c  , SIP/2.0/TCP d yy';
  const first = parseVia(headText(text), 2, text.length - 3);
  assert.ok(first.ok);
  assert.equal(text.slice(first.value.start, first.value.end), 'SIP/2.0/UDP a ; b = c');
  const second = parseVia(headText(text), text.indexOf(',') + 1, text.length - 3);
  assert.ok(second.ok);
  assert.equal(text.slice(second.value.start, second.value.end), 'SIP/2.0/TCP d');
});

test('via: parameters come when asked for', () => {
  const text = 'SIP/2.0/UDP h;Branch=x;hidden, SIP/2.0/UDP i;not=this';
  const result = parseVia(headText(text), 0, text.length);
  assert.ok(result.ok);
  assert.deepEqual(result.value.params, [
    { name: 'branch', value: 'x' },
    { name: 'hidden', value: null },
  ]);
});
