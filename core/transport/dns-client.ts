import { type NaptrRecord, promises, type RecordWithTtl, type SrvRecord } from 'node:dns';
import type { Family } from './addresses.ts';
import { askSystem, type Lookup } from './resolver.ts';

/** How long a DNS server has for its first answer, ms; the second try has twice as long. */
const TIMEOUT_MS = 800;
const TRIES = 2;

/** Whom to ask for what. */
export interface DnsSettings {
  /** `address` or `address:port`, IPv6 in brackets; none: the system's. */
  readonly servers: readonly string[];
  /** Whether SRV records count, and NAPTR records at all. */
  readonly srv: boolean;
  /** Whether NAPTR records count. */
  readonly naptr: boolean;
}

/** All records, from the system's servers. */
export const DEFAULT_DNS: DnsSettings = { servers: [], srv: true, naptr: true };

/** Error codes of node:dns that mean that no server answered, rather than that there are no records. */
const NO_ANSWER: ReadonlySet<unknown> = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED']);

/** Records of a name, none when there are none; not ok when no DNS server answered. */
export type DnsAnswer<T> =
  | { readonly ok: true; readonly records: readonly T[] }
  | { readonly ok: false; readonly reason: string };

/** What locating a server asks DNS for. */
export interface DnsQueries {
  naptr(name: string): Promise<DnsAnswer<NaptrRecord>>;
  srv(name: string): Promise<DnsAnswer<SrvRecord>>;
  /** A or AAAA records; the time to live is in seconds. */
  addresses(name: string, family: Family): Promise<DnsAnswer<RecordWithTtl>>;
}

async function answered<T>(query: Promise<readonly T[]>): Promise<DnsAnswer<T>> {
  try {
    return { ok: true, records: await query };
  } catch (error) {
    const isSilent = error instanceof Error && 'code' in error && NO_ANSWER.has(error.code);
    return isSilent ? { ok: false, reason: error.message } : { ok: true, records: [] };
  }
}

/** Asks DNS servers. */
export class DnsClient implements DnsQueries {
  readonly #resolver = new promises.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  readonly #settings: DnsSettings;

  constructor(settings: DnsSettings) {
    this.#settings = settings;
    if (settings.servers.length > 0) this.#resolver.setServers(settings.servers);
  }

  naptr(name: string): Promise<DnsAnswer<NaptrRecord>> {
    if (!this.#settings.naptr) return Promise.resolve({ ok: true, records: [] });
    return answered(this.#resolver.resolveNaptr(name));
  }

  srv(name: string): Promise<DnsAnswer<SrvRecord>> {
    return answered(this.#resolver.resolveSrv(name));
  }

  addresses(name: string, family: Family): Promise<DnsAnswer<RecordWithTtl>> {
    const withTtl = { ttl: true } as const;
    return answered(
      family === 4 ? this.#resolver.resolve4(name, withTtl) : this.#resolver.resolve6(name, withTtl),
    );
  }
}

/** A host's A records, then its AAAA records; family 0: both. None where DNS has none or does not answer. */
export async function addressRecords(
  dns: DnsQueries,
  host: string,
  family: 0 | Family,
): Promise<readonly RecordWithTtl[]> {
  const families: readonly Family[] = family === 0 ? [4, 6] : [family];
  const answers = await Promise.all(families.map((each) => dns.addresses(host, each)));
  return answers.flatMap((answer) => (answer.ok ? answer.records : []));
}

/** Looks addresses up in DNS, then in the system, which may know names that DNS does not; the latter alone for names without a dot. */
export function lookupIn(dns: DnsQueries): Lookup {
  return (host, family, done) => {
    if (!host.includes('.')) {
      askSystem(host, family, done);
      return;
    }
    void addressRecords(dns, host, family).then((records) => {
      if (records.length === 0) askSystem(host, family, done);
      else
        done(
          null,
          records.map(({ address }) => address),
        );
    });
  };
}
