import type { NaptrRecord, RecordWithTtl, SrvRecord } from 'node:dns';
import type { Protocol } from '../../core/sip/hop.ts';
import type { DnsAnswer, DnsQueries } from '../../core/transport/dns-client.ts';
import { type Located, Locator, type Wanted } from '../../core/transport/locate.ts';
import { Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

/** What a made-up DNS knows: by name, records in short. */
export interface Zone {
  /** `order preference flags service replacement` */
  readonly naptr?: Readonly<Record<string, readonly string[]>>;
  /** `priority weight port target` */
  readonly srv?: Readonly<Record<string, readonly string[]>>;
  readonly a?: Readonly<Record<string, readonly string[]>>;
  readonly aaaa?: Readonly<Record<string, readonly string[]>>;
  readonly ttl?: number;
  /** What only the system knows, as from /etc/hosts. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** No DNS server answers: after a while, or never. */
  readonly silent?: 'told' | 'never';
}

function naptrOf(text: string): NaptrRecord {
  const [order = '', preference = '', flags = '', service = '', replacement = ''] = text.split(' ');
  return { order: Number(order), preference: Number(preference), flags, service, regexp: '', replacement };
}

function srvOf(text: string): SrvRecord {
  const [priority, weight, port, name = ''] = text.split(' ');
  return { priority: Number(priority), weight: Number(weight), port: Number(port), name };
}

class FakeDns implements DnsQueries {
  readonly asked: string[] = [];
  zone: Zone;

  constructor(zone: Zone) {
    this.zone = zone;
  }

  naptr(name: string): Promise<DnsAnswer<NaptrRecord>> {
    return this.#answer('NAPTR', name, this.zone.naptr?.[name]?.map(naptrOf));
  }

  srv(name: string): Promise<DnsAnswer<SrvRecord>> {
    return this.#answer('SRV', name, this.zone.srv?.[name]?.map(srvOf));
  }

  addresses(name: string, family: 4 | 6): Promise<DnsAnswer<RecordWithTtl>> {
    const found = (family === 4 ? this.zone.a : this.zone.aaaa)?.[name];
    const records = found?.map((address) => ({ address, ttl: this.zone.ttl ?? 3_600 }));
    return this.#answer(family === 4 ? 'A' : 'AAAA', name, records);
  }

  #answer<T>(type: string, name: string, records: readonly T[] = []): Promise<DnsAnswer<T>> {
    this.asked.push(`${type} ${name}`);
    if (this.zone.silent === 'never') return new Promise(() => undefined);
    return Promise.resolve(
      this.zone.silent === 'told' ? { ok: false, reason: 'ETIMEOUT' } : { ok: true, records },
    );
  }
}

/** The protocols that are listened on where a test says nothing else. */
export const ALL: readonly Protocol[] = ['udp', 'tcp', 'tls', 'ws'];

/** A locator that asks a made-up DNS, and what it asked. */
export function locator(zone: Zone, protocols: readonly Protocol[] = ALL, family: 0 | 4 | 6 = 4) {
  const clock = new FakeClock();
  const dns = new FakeDns(zone);
  const asked: string[] = [];
  const resolver = new Resolver({
    clock,
    lookup: (host, _family, done) => {
      asked.push(host);
      const address = dns.zone.hosts?.[host];
      done(address === undefined ? new Error('ENOTFOUND') : null, address ?? '');
    },
  });
  const families = new Map(protocols.map((protocol) => [protocol, family]));
  return { clock, dns, asked, locator: new Locator({ resolver, dns, families }) };
}

/** `sip:a.test` */
export const SIP: Wanted = { host: 'a.test', port: null, protocol: 'udp', isGiven: false, isSecure: false };
/** `sips:a.test` */
export const SIPS: Wanted = { ...SIP, protocol: 'tls', isSecure: true };
/** `sip:a.test` with a transport parameter. */
export const given = (protocol: Protocol): Wanted => ({ ...SIP, protocol, isGiven: true });

/** `protocol:address:port` of all targets, or why there are none. */
export function shown(located: Located): string {
  if (!located.ok) return located.reason;
  return located.targets.map(({ protocol, address, port }) => `${protocol}:${address}:${port}`).join(' ');
}

/** The same of what may be yet to come. */
export async function where(found: Located | Promise<Located>): Promise<string> {
  return shown(await found);
}

/** Records of a.test that offer TLS, TCP and UDP. */
const NAPTR = {
  'a.test': [
    '90 50 s SIP+D2T _sip._tcp.a.test',
    '100 50 s SIP+D2U _sip._udp.a.test',
    '50 50 s SIPS+D2T _sips._tcp.a.test',
  ],
};
export const SRV = {
  '_sip._udp.a.test': ['1 1 5070 u.test'],
  '_sip._tcp.a.test': ['1 1 5071 t.test'],
  '_sips._tcp.a.test': ['1 1 5072 s.test'],
};
export const A = { 'u.test': ['192.0.2.1'], 't.test': ['192.0.2.2'], 's.test': ['192.0.2.3'] };
export const HOSTS = { 'a.test': '192.0.2.9', localhost: '127.0.0.1' };
/** All of these. */
export const FULL: Zone = { naptr: NAPTR, srv: SRV, a: A, hosts: HOSTS };
