import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import {
  bracketed,
  familyOf,
  interfaceAddress,
  isUnicast,
  unmapped,
} from '../../core/transport/addresses.ts';

const MAPPED: readonly [address: string, expected: string][] = [
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
  ['::1', '::1'],
  ['::', '::'],
  ['::192.0.2.1', '::192.0.2.1'],
  ['::ffff:0:192.0.2.1', '::ffff:0:192.0.2.1'],
  ['0:0:0:0:0:0:0:1', '0:0:0:0:0:0:0:1'],
  ['2001:db8::1', '2001:db8::1'],
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['0nonsense', '0nonsense'],
];
for (const [address, expected] of MAPPED) {
  test(`addresses: ${address} unmapped is ${expected}`, () => {
    assert.equal(unmapped(address), expected);
  });
}

const UNICAST: readonly [address: string, expected: boolean][] = [
  ['1.0.0.1', true],
  ['127.0.0.1', true],
  ['192.0.2.1', true],
  ['223.255.255.255', true],
  ['224.0.0.0', false],
  ['224.0.1.75', false],
  ['239.255.255.255', false],
  ['240.0.0.1', false],
  ['255.255.255.255', false],
  ['0.0.0.0', false],
  ['2001:db8::1', true],
  ['::1', true],
  ['fe80::1', true],
  ['ff::1', true],
  ['::', false],
  ['ff02::1', false],
  ['FF0E::1', false],
];
for (const [address, expected] of UNICAST) {
  test(`addresses: ${address} is ${expected ? '' : 'not '}unicast`, () => {
    assert.equal(isUnicast(address), expected);
  });
}

test('addresses: a host has brackets where it is IPv6, and no zone', () => {
  assert.deepEqual(['example.com', '192.0.2.1', '::1', 'fe80::1%eth0'].map(bracketed), [
    'example.com',
    '192.0.2.1',
    '[::1]',
    '[fe80::1]',
  ]);
});

for (const family of [4, 6] as const) {
  test(`addresses: behind a wildcard stands an IPv${family} address of this machine`, () => {
    const address = interfaceAddress(family);
    assert.equal(familyOf(address), family);
    assert.equal(isIP(address), family);
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const external = all.filter((one) => familyOf(one.address) === family && !one.internal);
    const usable = external.filter((one) => !one.address.toLowerCase().startsWith('fe80:'));
    const loopback = family === 4 ? '127.0.0.1' : '::1';
    assert.ok((usable.length > 0 ? usable.map((one) => one.address) : [loopback]).includes(address), address);
  });
}
