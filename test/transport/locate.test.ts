import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Protocol } from '../../core/sip/hop.ts';
import type { Wanted } from '../../core/transport/locate.ts';
import { A, ALL, FULL, given, HOSTS, locator, SIP, SIPS, SRV, where, type Zone } from './fake-dns.ts';

const NO_NAPTR: Zone = { srv: SRV, a: A, hosts: HOSTS };

interface Case {
  readonly what: string;
  readonly zone: Zone;
  readonly wanted: Wanted;
  readonly protocols?: readonly Protocol[];
  readonly family?: 0 | 6;
  readonly targets: string;
}
const twoOffers = (first: string, second: string): Zone => ({
  ...FULL,
  naptr: { 'a.test': [first, second] },
});
const UDP_OFFER = '1 2 S sip+d2u _sip._udp.a.test';
const CASES: readonly Case[] = [
  { what: 'NAPTR: the lowest order wins', zone: FULL, wanted: SIP, targets: 'tls:192.0.2.3:5072' },
  {
    what: 'NAPTR: protocols that the proxy does not speak are passed over',
    zone: FULL,
    wanted: SIP,
    protocols: ['udp', 'tcp'],
    targets: 'tcp:192.0.2.2:5071',
  },
  {
    what: 'NAPTR: SIPS takes SIPS services only, though others are preferred',
    zone: twoOffers('1 1 s SIP+D2T _sip._tcp.a.test', '2 2 s SIPS+D2T _sips._tcp.a.test'),
    wanted: SIPS,
    targets: 'tls:192.0.2.3:5072',
  },
  {
    what: 'NAPTR: a replacement that is no name is passed over',
    zone: {
      ...twoOffers('1 1 s SIP+D2T 127.0.0.1', UDP_OFFER),
      srv: { ...SRV, '127.0.0.1': ['1 1 5071 t.test'] },
    },
    wanted: SIP,
    targets: 'udp:192.0.2.1:5070',
  },
  {
    what: 'NAPTR: among equals of order preference counts, and all are kept',
    zone: twoOffers('1 3 s SIP+D2T _sip._tcp.a.test', UDP_OFFER),
    wanted: SIP,
    targets: 'udp:192.0.2.1:5070 tcp:192.0.2.2:5071',
  },
  {
    what: 'NAPTR: an offer without servers leaves the next',
    zone: twoOffers('0 0 s SIP+D2T _sip._tcp.gone.test', UDP_OFFER),
    wanted: SIP,
    targets: 'udp:192.0.2.1:5070',
  },
  {
    what: 'NAPTR: other flags and services are passed over',
    zone: twoOffers('0 0 u SIP+D2T _sip._tcp.a.test', '0 0 s E2U+sip _sip._tcp.a.test'),
    wanted: SIP,
    targets: 'udp:192.0.2.1:5070 tcp:192.0.2.2:5071',
  },
  {
    what: "NAPTR without SRV: the host's address, by the protocol of the offer",
    zone: { hosts: HOSTS, naptr: { 'a.test': ['0 0 s SIP+D2T _sip._tcp.a.test'] } },
    wanted: SIP,
    targets: 'tcp:192.0.2.9:5060',
  },
  {
    what: 'no NAPTR: UDP, then TCP',
    zone: NO_NAPTR,
    wanted: SIP,
    targets: 'udp:192.0.2.1:5070 tcp:192.0.2.2:5071',
  },
  {
    what: 'no NAPTR: the protocol that there are records for',
    zone: { ...NO_NAPTR, srv: { '_sip._tcp.a.test': ['1 1 5071 t.test'] } },
    wanted: SIP,
    targets: 'tcp:192.0.2.2:5071',
  },
  { what: 'no NAPTR, SIPS: _sips._tcp', zone: NO_NAPTR, wanted: SIPS, targets: 'tls:192.0.2.3:5072' },
  { what: 'transport given: tcp', zone: FULL, wanted: given('tcp'), targets: 'tcp:192.0.2.2:5071' },
  { what: 'transport given: tls is _sips', zone: FULL, wanted: given('tls'), targets: 'tls:192.0.2.3:5072' },
  { what: 'transport given: ws has no records', zone: FULL, wanted: given('ws'), targets: 'ws:192.0.2.9:80' },
  { what: 'nothing but an address', zone: { hosts: HOSTS }, wanted: SIP, targets: 'udp:192.0.2.9:5060' },
  {
    what: 'SIPS, nothing but an address',
    zone: { hosts: HOSTS },
    wanted: SIPS,
    targets: 'tls:192.0.2.9:5061',
  },
  {
    what: 'port given: the address alone',
    zone: FULL,
    wanted: { ...SIP, port: 7 },
    targets: 'udp:192.0.2.9:7',
  },
  {
    what: 'a name without a dot: the address alone',
    zone: FULL,
    wanted: { ...SIP, host: 'localhost' },
    targets: 'udp:127.0.0.1:5060',
  },
  {
    what: 'a server that only the system knows',
    zone: { ...NO_NAPTR, a: {}, hosts: { 'u.test': '192.0.2.8' } },
    wanted: given('udp'),
    targets: 'udp:192.0.2.8:5070',
  },
  {
    what: 'both families: IPv4 first',
    zone: { ...NO_NAPTR, aaaa: { 'u.test': ['2001:db8::1'] } },
    wanted: given('udp'),
    family: 0,
    targets: 'udp:192.0.2.1:5070 udp:2001:db8::1:5070',
  },
  {
    what: 'IPv6 alone',
    zone: { ...NO_NAPTR, aaaa: { 'u.test': ['2001:db8::1'] } },
    wanted: given('udp'),
    family: 6,
    targets: 'udp:2001:db8::1:5070',
  },
  {
    what: 'a server without address is passed over',
    zone: { srv: { '_sip._udp.a.test': ['1 0 1 x.test', '2 0 2 u.test'] }, a: A },
    wanted: given('udp'),
    targets: 'udp:192.0.2.1:2',
  },
  {
    what: "servers without any address are not replaced by the host's own",
    zone: { srv: { '_sip._udp.a.test': ['1 0 1 x.test'] }, hosts: HOSTS },
    wanted: given('udp'),
    targets: 'no address for the servers of _sip._udp.a.test',
  },
  {
    what: 'a record without target says no such service',
    zone: { srv: { '_sip._udp.a.test': ['0 0 0 '] }, hosts: HOSTS },
    wanted: given('udp'),
    targets: '_sip._udp.a.test: no such service',
  },
  {
    what: 'targets that are no host names are never asked for',
    zone: { srv: { '_sip._udp.a.test': ['0 0 5060 127.0.0.1', '0 0 0 u.test'] }, a: A },
    wanted: given('udp'),
    targets: 'no address for the servers of _sip._udp.a.test',
  },
  {
    what: 'no protocol of the proxy fits',
    zone: { hosts: HOSTS },
    wanted: SIP,
    protocols: ['tcp'],
    targets: 'no listen address for transport udp',
  },
  {
    what: 'no DNS server answers: the address from the system',
    zone: { ...FULL, silent: 'told' },
    wanted: SIP,
    targets: 'udp:192.0.2.9:5060',
  },
];
for (const { what, zone, wanted, protocols = ALL, family = 4, targets } of CASES) {
  test(`locate: ${what}: ${targets}`, async () => {
    assert.equal(await where(locator(zone, protocols, family).locator.locate(wanted, 'x')), targets);
  });
}

for (const host of ['192.0.2.1', '127.1', 'a.', '.a', 'a..b', `${'a.'.repeat(130)}b`]) {
  test(`locate: never asks DNS for ${host.slice(0, 12)}, nor waits`, () => {
    const { locator: found, dns } = locator({ silent: 'never' });
    void found.locate({ ...SIP, host }, 'x');
    assert.deepEqual(dns.asked, []);
  });
}
