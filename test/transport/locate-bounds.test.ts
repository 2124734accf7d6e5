import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { A, FULL, given, HOSTS, locator, shown, SIP, SIPS, where, type Zone } from './fake-dns.ts';

test('locate: a numeric host is found at once while names wait for DNS', () => {
  const { locator: found } = locator({ silent: 'never' });
  for (let i = 0; i < 300; i += 1) void found.locate({ ...SIP, host: `h${i}.test` }, 'x');
  const located = found.locate({ ...SIP, host: '192.0.2.1' }, 'x');
  assert.ok(!(located instanceof Promise));
  assert.equal(shown(located), 'udp:192.0.2.1:5060');
});

test('locate: waits 3 s for DNS, then takes the address from the system', async () => {
  const { locator: found, clock, asked } = locator({ hosts: HOSTS, silent: 'never' });
  const located = where(found.locate(SIP, 'x'));
  clock.advance(2_999);
  await setImmediate();
  assert.deepEqual(asked, []);
  clock.advance(1);
  assert.equal(await located, 'udp:192.0.2.9:5060');
});

test('locate: where no DNS server answers the first query, no more are sent', async () => {
  const { locator: found, dns } = locator({ hosts: HOSTS, silent: 'told' });
  await found.locate(SIP, 'x');
  assert.deepEqual(dns.asked, ['NAPTR a.test']);
});

test('locate: 200 domains are looked up at once; above that, addresses alone', async () => {
  const { locator: found, dns } = locator({ hosts: HOSTS, silent: 'never' });
  for (let i = 0; i < 200; i += 1) void found.locate({ ...SIP, host: `h${i}.test` }, 'x');
  assert.equal(await where(found.locate(SIP, 'x')), 'udp:192.0.2.9:5060');
  assert.equal(dns.asked.length, 200);
});

test('locate: those who ask for one domain share a search; transports and schemes are apart', async () => {
  const { locator: found, dns } = locator(FULL);
  await Promise.all([SIP, SIP, { ...SIP, host: 'A.test' }].map((wanted) => where(found.locate(wanted, 'x'))));
  assert.equal(dns.asked.filter((query) => query.startsWith('NAPTR')).length, 1);
  await found.locate(SIPS, 'x');
  await found.locate(given('tcp'), 'x');
  assert.equal(dns.asked.filter((query) => query.startsWith('NAPTR')).length, 2);
});

const LIFETIMES: readonly [what: string, zone: Zone, lifetimeMs: number][] = [
  ['for the time to live of the addresses', { ...FULL, ttl: 7 }, 7_000],
  ['for 1 s at least', { ...FULL, ttl: 0 }, 1_000],
  ['for 30 s at most', { ...FULL, ttl: 86_400 }, 30_000],
  ['that there are no servers for 10 s', { hosts: HOSTS }, 10_000],
  ['that DNS is silent for 5 s', { hosts: HOSTS, silent: 'told' }, 5_000],
];
for (const [what, zone, lifetimeMs] of LIFETIMES) {
  test(`locate: remembers ${what}`, async () => {
    const { locator: found, clock, dns } = locator(zone);
    const first = await where(found.locate(SIP, 'x'));
    const queries = dns.asked.length;
    clock.advance(lifetimeMs - 1);
    const again = found.locate(SIP, 'x');
    assert.equal(dns.asked.length, queries);
    assert.equal(await where(again), first);
    clock.advance(1);
    await found.locate(SIP, 'x');
    assert.ok(dns.asked.length > queries);
  });
}

test('locate: what is remembered comes at once', async () => {
  const { locator: found } = locator(FULL);
  await found.locate(SIP, 'x');
  assert.ok(!(found.locate(SIP, 'x') instanceof Promise));
});

function byUdp(srv: readonly string[]): Zone {
  return { srv: { '_sip._udp.a.test': srv }, a: A };
}

test('locate: one call goes one way whatever order DNS gives, calls spread', async () => {
  const servers = ['1 50 1 u.test', '1 50 2 t.test', '1 50 3 s.test'];
  const one = locator(byUdp(servers)).locator;
  const other = locator(byUdp(servers.toReversed())).locator;
  const ways = new Set<string>();
  for (let call = 0; call < 50; call += 1) {
    const way = await where(one.locate(given('udp'), `call${call}`));
    assert.equal(await where(other.locate(given('udp'), `call${call}`)), way);
    ways.add(way);
  }
  assert.equal(ways.size, 6);
});

test('locate: 16 servers of a domain are looked at, those of lowest priority, and 16 targets given', async () => {
  const srv = Array.from({ length: 20 }, (_, i) => `${20 - i} 0 ${20 - i} u.test`);
  const many: Zone = { srv: { '_sip._udp.a.test': srv }, a: { 'u.test': ['192.0.2.1', '192.0.2.2'] } };
  const { locator: found, dns } = locator(many);
  const located = await found.locate(given('udp'), 'x');
  assert.equal(dns.asked.filter((query) => query === 'A u.test').length, 16);
  assert.ok(located.ok);
  assert.deepEqual(
    located.targets.map(({ port }) => port),
    [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8],
  );
});

test('locate: 4 NAPTR records of a domain are followed', async () => {
  const offers = Array.from({ length: 6 }, (_, i) => `1 ${i} s SIP+D2U _sip._udp.s${i}.test`);
  const { locator: found, dns } = locator({ naptr: { 'a.test': offers }, hosts: HOSTS });
  await found.locate(SIP, 'x');
  assert.equal(dns.asked.filter((query) => query.startsWith('SRV')).length, 4);
});
