import type { NaptrRecord, RecordWithTtl, SrvRecord } from 'node:dns';
import { MAX_PORT } from '../sip/host.ts';
import { familyOf, type Family } from '../transport/addresses.ts';
import type { DnsAnswer, DnsQueries } from '../transport/dns-client.ts';
import type { Lookup } from '../transport/resolver.ts';

/** Addresses by host name. */
export type Hosts = Readonly<Record<string, string | readonly string[]>>;
/** Servers, `host:port`, in the order to try, by the name of their SRV records: `_sip._udp.example.com`. */
export type Servers = Readonly<Record<string, readonly string[]>>;

/** How long an answer may be kept, s. */
const TTL_S = 3_600;
const SERVER = /^([^:[\]]+):(\d{1,5})$/;

/** DNS as a test has it: tables, and nothing else is known. */
export class SimulatedDns implements DnsQueries {
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #servers: ReadonlyMap<string, readonly SrvRecord[]>;

  /** @throws Error for what is no server. */
  constructor(hosts: Hosts, servers: Servers) {
    this.#hosts = byName(hosts, (found) => [found].flat());
    this.#servers = byName(servers, (found) => found.map(recordOf));
  }

  /** The addresses of a host; of both families unless told. */
  addressesOf(host: string, family: 0 | Family = 0): readonly string[] {
    const known = this.#hosts.get(host.toLowerCase()) ?? [];
    return known.filter((address) => family === 0 || familyOf(address) === family);
  }

  /** Look-ups by these tables alone. */
  readonly lookup: Lookup = (host, family, done) => {
    const found = this.addressesOf(host, family);
    done(found.length === 0 ? new Error(`\`hosts\` gives no address for ${host}`) : null, found);
  };

  async naptr(): Promise<DnsAnswer<NaptrRecord>> {
    return { ok: true, records: [] };
  }

  async srv(name: string): Promise<DnsAnswer<SrvRecord>> {
    return { ok: true, records: this.#servers.get(name.toLowerCase()) ?? [] };
  }

  async addresses(host: string, family: Family): Promise<DnsAnswer<RecordWithTtl>> {
    const records = this.addressesOf(host, family).map((address) => ({ address, ttl: TTL_S }));
    return { ok: true, records };
  }
}

function byName<T, U>(table: Readonly<Record<string, T>>, read: (found: T) => U): Map<string, U> {
  return new Map(Object.entries(table).map(([name, found]) => [name.toLowerCase(), read(found)]));
}

/** What comes first has the better priority. */
function recordOf(server: string, priority: number): SrvRecord {
  const [, name, port] = SERVER.exec(server) ?? [];
  if (name === undefined || Number(port) === 0 || Number(port) > MAX_PORT)
    throw new Error(`srv: expected a server such as gw1.example.com:5060, not ${server}`);
  return { name, port: Number(port), priority, weight: 0 };
}
