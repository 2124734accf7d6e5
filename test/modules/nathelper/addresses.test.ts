import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPort, inUri, isPrivate, isSameHost } from '../../../modules/nathelper/addresses.ts';

test('isPrivate: the ranges of RFC 1918, 6598 and 4193, to their last address', () => {
  const inside = [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.0.0',
    '192.168.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '::ffff:10.0.0.1',
    'fc00::',
    '[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]',
    '[FD00::1]',
    'fd00::1%eth0',
  ];
  const outside = [
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '198.51.100.7',
    'fbff::1',
    'fe00::',
    '[2001:db8::1]',
    'fe80::1%eth0',
    '10.0.0.1.example.com',
    '10.0.0',
    '10.0.0.256',
    '',
    '[]',
  ];
  for (const host of inside) assert.equal(isPrivate(host), true, host);
  for (const host of outside) assert.equal(isPrivate(host), false, host);
});

test('isSameHost: any spelling of one address or name', () => {
  assert.equal(isSameHost('[2001:DB8::1]', '2001:db8:0:0:0:0:0:1'), true);
  assert.equal(isSameHost('A.example.com', 'a.example.com'), true);
  assert.equal(isSameHost('198.51.100.7', '198.51.100.7'), true);
  assert.equal(isSameHost('198.51.100.7', '198.51.100.8'), false);
  assert.equal(isSameHost('[2001:db8::1]', '2001:db8::2'), false);
});

test('inUri: IPv6 in brackets without its zone', () => {
  assert.equal(inUri('198.51.100.7'), '198.51.100.7');
  assert.equal(inUri('2001:db8::1'), '[2001:db8::1]');
  assert.equal(inUri('fe80::1%eth0'), '[fe80::1]');
});

test('defaultPort: by transport in any case', () => {
  const rows = { udp: 5060, TCP: 5060, '': 5060, TLS: 5061, ws: 80, wss: 443 };
  for (const [transport, port] of Object.entries(rows)) assert.equal(defaultPort(transport), port);
});
