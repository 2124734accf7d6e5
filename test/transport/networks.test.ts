import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { Target } from '../../core/sip/hop.ts';
import { type MachineAddress, Networks } from '../../core/transport/networks.ts';
import { started, V4, V6 } from './harness.ts';

const INSIDE: MachineAddress = { address: '10.0.0.5', cidr: '10.0.0.5/24' };
const OUTSIDE: MachineAddress = { address: '203.0.113.5', cidr: '203.0.113.5/29' };
const LINK: MachineAddress = { address: 'fe80::5', cidr: 'fe80::5/64' };
const GLOBAL: MachineAddress = { address: '2001:db8:1::5', cidr: '2001:db8:1::5/64' };
const networks = new Networks([INSIDE, OUTSIDE, LINK, GLOBAL, { address: '10.9.9.9', cidr: null }], {
  4: OUTSIDE.address,
  6: GLOBAL.address,
});

const ROWS: readonly (readonly [own: string, target: string, towards: boolean | null])[] = [
  ['10.0.0.5', '10.0.0.77', true],
  ['203.0.113.5', '10.0.0.77', false],
  ['10.0.0.5', '10.0.1.77', false],
  ['203.0.113.5', '10.0.1.77', true],
  ['203.0.113.6', '198.51.100.7', true],
  ['10.0.0.5', '203.0.113.1', false],
  ['2001:db8:1::6', '2001:db8:1::77', true],
  ['2001:db8:1::6', '2001:db8:2::77', true],
  ['fe80::5', '2001:db8:2::77', false],
  ['fe80::5%eth0', 'fe80::77%eth0', true],
  ['2001:db8:1::5', 'fe80::77%eth0', false],
];
for (const [own, target, towards] of ROWS) {
  test(`networks: ${own} is ${towards === true ? '' : 'not '}on the way to ${target}`, () =>
    assert.equal(networks.isTowards(own, target), towards));
}

test('networks: without a way to the rest of the world nothing is known about targets elsewhere', () => {
  const lonely = new Networks([INSIDE], { 4: null, 6: null });
  assert.equal(lonely.isTowards('10.0.0.5', '198.51.100.7'), null);
  assert.equal(lonely.isTowards('10.0.0.5', '10.0.0.7'), true);
  assert.equal(lonely.isTowards('2001:db8::1', '2001:db8::2'), null);
});

test("networks: the machine's own are found, loopback among them", async () => {
  const own = await Networks.ofMachine();
  assert.equal(own.isTowards('127.0.0.1', '127.0.0.1'), true);
  for (const { address, internal, family } of Object.values(networkInterfaces()).flatMap(
    (each) => each ?? [],
  ))
    if (!internal && family === 'IPv4') assert.equal(own.isTowards(address, '127.0.0.1'), false);
});

/** A target on loopback that no one sends to. */
const LOOPBACK: Target = { protocol: 'udp', address: '127.0.0.9', port: 9 };

test('pointFor: of several listen points on the network of the target the preferred one, else the first', async (t) => {
  const { transports } = await started(t, V4, { ...V4, host: '127.0.0.2' }, V6, { ...V4, host: '127.0.0.3' });
  const [first, second, v6, third] = transports.points;
  assert.equal(transports.pointFor(LOOPBACK), first);
  for (const point of [first, second, third]) assert.equal(transports.pointFor(LOOPBACK, point), point);
  assert.equal(transports.pointFor(LOOPBACK, v6), first);
  assert.equal(transports.pointFor({ ...LOOPBACK, address: '::1' }, second), v6);
  assert.equal(transports.pointFor({ ...LOOPBACK, protocol: 'tcp' }), null);
});

const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test('pointFor: a listen point on another network gives way to one on the network of the target', {
  skip: outside === undefined && 'this machine has loopback only',
}, async (t) => {
  const { transports } = await started(t, { ...V4, host: outside ?? '' }, V4);
  const [far, near] = transports.points;
  assert.ok(far !== undefined);
  assert.equal(transports.pointFor(LOOPBACK, far), near);
  assert.equal(transports.pointFor({ ...LOOPBACK, address: outside ?? '' }, near), far);
});

test('pointFor: a wildcard address serves every network', async (t) => {
  const { transports } = await started(t, { ...V4, host: '0.0.0.0' }, V4);
  const [all] = transports.points;
  assert.equal(transports.pointFor(LOOPBACK, all), all);
  assert.equal(transports.pointFor({ ...LOOPBACK, address: '192.0.2.77' }), all);
});
