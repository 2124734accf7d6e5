import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { DEFAULT_DNS, DnsClient, lookupIn } from '../../core/transport/dns-client.ts';
import { Locator, type Wanted } from '../../core/transport/locate.ts';
import { Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { type Dnsmasq, startDnsmasq } from '../programs/dnsmasq.ts';
import { missing } from '../programs/missing.ts';

const RECORDS = [
  '--naptr-record=full.test,50,50,s,SIPS+D2T,,_sips._tcp.full.test',
  '--naptr-record=full.test,90,50,s,SIP+D2T,,_sip._tcp.full.test',
  '--naptr-record=full.test,100,50,s,SIP+D2U,,_sip._udp.full.test',
  '--srv-host=_sips._tcp.full.test,one.full.test,5061,1,0',
  '--srv-host=_sip._tcp.full.test,two.full.test,5082,2,0',
  '--srv-host=_sip._tcp.full.test,one.full.test,5081,1,0',
  '--srv-host=_sip._udp.full.test,two.full.test,5070,1,0',
  '--srv-host=_sip._udp.srv.test,two.full.test,5070,1,0',
  '--srv-host=_sip._udp.none.test',
  '--srv-host=_sip._udp.localhost.test,localhost,5099,1,0',
  '--host-record=one.full.test,192.0.2.1,2001:db8::1,7',
  '--host-record=two.full.test,192.0.2.2,7',
];
const skip = missing('dnsmasq') ?? false;
let server: Dnsmasq;
before(async () => {
  if (skip === false) server = await startDnsmasq(RECORDS);
});
after(async () => {
  if (skip === false) await server.stop();
});

function locator(address: string, isBothFamilies = false, naptr = true) {
  const clock = new FakeClock();
  // Only what the made-up system knows besides DNS: no query leaves the machine.
  const resolver = new Resolver({
    clock,
    lookup: (host, _family, done) => {
      if (host === 'localhost') done(null, '127.0.0.1');
      else done(new Error(`the system knows no ${host}`), '');
    },
  });
  const family = isBothFamilies ? 0 : 4;
  const families = new Map([['udp', family] as const, ['tcp', family] as const, ['tls', family] as const]);
  return {
    clock,
    locator: new Locator({
      resolver,
      dns: new DnsClient({ ...DEFAULT_DNS, servers: [address], naptr }),
      families,
    }),
  };
}

async function where(host: string, options: Partial<Wanted> = {}, found = locator(server.server).locator) {
  const wanted: Wanted = { host, port: null, protocol: 'udp', isGiven: false, isSecure: false, ...options };
  const located = await found.locate(wanted, 'call');
  if (!located.ok) return located.reason;
  return located.targets.map(({ protocol, address, port }) => `${protocol}:${address}:${port}`).join(' ');
}

const CASES: readonly [what: string, host: string, options: Partial<Wanted>, wanted: string][] = [
  ['NAPTR chooses', 'full.test', {}, 'tls:192.0.2.1:5061'],
  ['a SIPS URI', 'full.test', { protocol: 'tls', isSecure: true }, 'tls:192.0.2.1:5061'],
  [
    'transport=tcp: SRV by priority',
    'full.test',
    { protocol: 'tcp', isGiven: true },
    'tcp:192.0.2.1:5081 tcp:192.0.2.2:5082',
  ],
  ['transport=udp', 'full.test', { protocol: 'udp', isGiven: true }, 'udp:192.0.2.2:5070'],
  ['SRV without NAPTR', 'srv.test', {}, 'udp:192.0.2.2:5070'],
  ['SRV without target', 'none.test', {}, '_sip._udp.none.test: no such service'],
  ['a server that only the system knows', 'localhost.test', {}, 'udp:127.0.0.1:5099'],
  ['nothing', 'nothing.test', {}, 'the system knows no nothing.test'],
  ['a domain that the server refuses to look up', 'example.org', {}, 'the system knows no example.org'],
];
for (const [what, host, options, wanted] of CASES) {
  test(`dns server: ${what}: ${wanted}`, { skip }, async () => {
    assert.equal(await where(host, options), wanted);
  });
}

test('dns server: A and AAAA where both families are listened on', { skip }, async () => {
  const { locator: found } = locator(server.server, true);
  assert.equal(await where('full.test', {}, found), 'tls:192.0.2.1:5061 tls:2001:db8::1:5061');
});

test('dns server: NAPTR records do not count where they are switched off', { skip }, async () => {
  const { locator: found } = locator(server.server, false, false);
  assert.equal(
    await where('full.test', {}, found),
    'udp:192.0.2.2:5070 tcp:192.0.2.1:5081 tcp:192.0.2.2:5082',
  );
});

test('dns server: tells addresses too, and the system those of names without a dot', { skip }, async () => {
  const client = new DnsClient({ ...DEFAULT_DNS, servers: [server.server] });
  const resolver = new Resolver({ clock: new FakeClock(), lookup: lookupIn(client) });
  const found = [];
  for (const family of [4, 6, 0] as const) {
    const address = await resolver.resolve('one.full.test', family);
    found.push(address.ok ? [address.address, ...address.others].join(' ') : address.reason);
  }
  assert.deepEqual(found, ['192.0.2.1', '2001:db8::1', '192.0.2.1 2001:db8::1']);
  const local = await resolver.resolve('localhost', 4);
  assert.equal(local.ok && local.address, '127.0.0.1');
});

test('dns server: is asked again when the time to live of an address has passed', { skip }, async () => {
  const own = await startDnsmasq(RECORDS);
  try {
    const { clock, locator: found } = locator(own.server);
    const udp = { protocol: 'udp', isGiven: true } as const;
    for (const advanceMs of [0, 6_999, 1]) {
      clock.advance(advanceMs);
      assert.equal(await where('full.test', udp, found), 'udp:192.0.2.2:5070');
    }
  } finally {
    // Its log is whole once it has ended.
    await own.stop();
  }
  assert.equal(own.asked('SRV', '_sip._udp.full.test'), 2);
  assert.equal(own.asked('NAPTR', 'full.test'), 0);
});

test('dns server: one that is silent is given up within 10 s, and the system asked', async () => {
  const silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const client = new DnsClient({ ...DEFAULT_DNS, servers: [`127.0.0.1:${silent.address().port}`] });
    assert.equal((await client.srv('_sip._udp.full.test')).ok, false);
    // The fake clock stands still: what ends the wait is the query's own limit.
    const { locator: found } = locator(`127.0.0.1:${silent.address().port}`);
    const started = performance.now();
    assert.equal(await where('full.test', {}, found), 'the system knows no full.test');
    assert.ok(performance.now() - started < 10_000);
  } finally {
    silent.close();
  }
});
