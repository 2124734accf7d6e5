import type { NaptrRecord, SrvRecord } from 'node:dns';
import type { Protocol } from '../sip/hop.ts';
import type { Family } from './addresses.ts';
import { addressRecords, type DnsQueries } from './dns-client.ts';
import { isHostName, type Resolver } from './resolver.ts';

/** SRV records of a service whose addresses are looked up, those of lowest priority. */
const MAX_SERVERS = 16;
/** NAPTR records of a domain that are followed. */
const MAX_OFFERS = 4;

/** How long what was found may be used, ms: no answer of DNS is asked for more often than this… */
const MIN_TTL_MS = 1_000;
/** …nor kept for longer, since node:dns tells the time to live of addresses only, not of SRV and NAPTR records. */
const MAX_TTL_MS = 30_000;
/** How long it is remembered that there are no servers, ms. */
const NONE_TTL_MS = 10_000;

/** NAPTR services of SIP by what they mean (RFC 3263 4.1); others are passed over. */
const SERVICES: ReadonlyMap<string, Protocol> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
]);

/** Names in front of a domain that its SRV records have (RFC 3263 4.2). WebSocket has none. */
const SRV_PREFIXES: ReadonlyMap<Protocol, string> = new Map([
  ['udp', '_sip._udp.'],
  ['tcp', '_sip._tcp.'],
  ['tls', '_sips._tcp.'],
]);

/** The address family that each listening protocol reaches; 0: both. */
export type Families = ReadonlyMap<Protocol, 0 | Family>;

/** A domain whose servers are wanted. */
export interface Domain {
  readonly host: string;
  /** The protocol to use: what the URI names, else the default of its scheme. */
  readonly protocol: Protocol;
  /** The URI names the protocol, so that DNS has no choice. */
  readonly isGiven: boolean;
  /** The URI is a SIPS one: nothing but TLS will do. */
  readonly isSecure: boolean;
}

/** A server of a domain, by one SRV record. */
export interface Server {
  readonly priority: number;
  readonly weight: number;
  readonly protocol: Protocol;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** What DNS says about the servers of a domain. */
export type ServerRecords =
  | {
      readonly ok: true;
      /** Servers by transport, in the order to try; within a group SRV priority and weight count. None: the domain's own addresses are to be used. */
      readonly groups: readonly (readonly Server[])[];
      /** The protocol to use with the domain's own addresses. */
      readonly protocol: Protocol;
      /** Why there are no servers although there are SRV records; null where there are servers, or no SRV records. */
      readonly refusal: string | null;
      readonly lifetimeMs: number;
    }
  | { readonly ok: false; readonly reason: string };

/** A protocol that a domain offers, and where its SRV records stand. */
interface Offer {
  readonly protocol: Protocol;
  readonly name: string;
  /** Offers of a higher order do not count when one of a lower has servers (RFC 2915 2). */
  readonly order: number;
}

/** Finds the servers of one domain in DNS (RFC 3263 4.1 and 4.2). */
export class ServerSearch {
  readonly #dns: DnsQueries;
  readonly #resolver: Resolver;
  readonly #families: Families;
  #lifetimeMs = MAX_TTL_MS;
  #refusal: string | null = null;

  constructor(options: {
    readonly dns: DnsQueries;
    readonly resolver: Resolver;
    readonly families: Families;
  }) {
    this.#dns = options.dns;
    this.#resolver = options.resolver;
    this.#families = options.families;
  }

  /** Never rejects. Not ok: no DNS server answered. */
  async find(domain: Domain): Promise<ServerRecords> {
    const offers: Offer[] = [];
    if (!domain.isGiven) {
      const naptr = await this.#dns.naptr(domain.host);
      if (!naptr.ok) return naptr;
      offers.push(...this.#offersOf(naptr.records, domain.isSecure));
    }
    const protocol = offers[0]?.protocol ?? domain.protocol;
    if (offers.length === 0) offers.push(...this.#defaultOffers(domain));
    const found = await Promise.all(offers.map((offer) => this.#serversOf(offer)));
    const order = offers.find((_offer, i) => (found[i]?.length ?? 0) > 0)?.order;
    const groups = found.filter((servers, i) => servers.length > 0 && offers[i]?.order === order);
    if (groups.length === 0)
      return { ok: true, groups, protocol, refusal: this.#refusal, lifetimeMs: NONE_TTL_MS };
    return { ok: true, groups, protocol, refusal: null, lifetimeMs: this.#lifetimeMs };
  }

  #offersOf(records: readonly NaptrRecord[], isSecure: boolean): Offer[] {
    const offers: Offer[] = [];
    for (const record of records.toSorted((a, b) => a.order - b.order || a.preference - b.preference)) {
      const protocol = SERVICES.get(record.service.toUpperCase());
      if (protocol === undefined || !this.#families.has(protocol)) continue;
      if (isSecure && protocol !== 'tls') continue;
      if (record.flags.toLowerCase() !== 's' || !isHostName(record.replacement)) continue;
      if (offers.length < MAX_OFFERS)
        offers.push({ protocol, name: record.replacement, order: record.order });
    }
    return offers;
  }

  /** The SRV names to try where no NAPTR record tells any: `_sips` for a SIPS URI, else `_sip`, with each protocol that fits. */
  #defaultOffers({ host, protocol, isGiven, isSecure }: Domain): Offer[] {
    const protocols: readonly Protocol[] = isGiven || isSecure ? [protocol] : ['udp', 'tcp'];
    return protocols.flatMap((each) => {
      const prefix = SRV_PREFIXES.get(each);
      if (prefix === undefined || !this.#families.has(each)) return [];
      return [{ protocol: each, name: `${prefix}${host}`, order: 0 }];
    });
  }

  async #serversOf({ protocol, name }: Offer): Promise<readonly Server[]> {
    const answer = await this.#dns.srv(name);
    if (!answer.ok || answer.records.length === 0) return [];
    // DNS servers shuffle their records: a fixed order is what makes the choice among them repeatable (RFC 3263 4.4).
    const records = answer.records.toSorted(compareSrv).slice(0, MAX_SERVERS);
    const found = await Promise.all(
      records.map(async ({ name: host, port, priority, weight }): Promise<Server> => {
        const addresses = isUsable(host, port) ? await this.#addressesOf(host, protocol) : [];
        return { priority, weight, protocol, port, addresses };
      }),
    );
    const servers = found.filter(({ addresses }) => addresses.length > 0);
    if (servers.length === 0) {
      // A single record without a target says that there is no such service (RFC 2782, "Target").
      this.#refusal = records.some(({ name: host }) => host !== '')
        ? `no address for the servers of ${name}`
        : `${name}: no such service`;
    }
    return servers;
  }

  /** Addresses from DNS, else from the system, which may know names that DNS does not. */
  async #addressesOf(host: string, protocol: Protocol): Promise<readonly string[]> {
    const family = this.#families.get(protocol) ?? 0;
    const records = await addressRecords(this.#dns, host, family);
    for (const { ttl } of records)
      this.#lifetimeMs = Math.max(MIN_TTL_MS, Math.min(this.#lifetimeMs, ttl * 1_000));
    if (records.length > 0) return records.map(({ address }) => address);
    const known = await this.#resolver.resolve(host, family);
    return known.ok ? [known.address, ...known.others] : [];
  }
}

function isUsable(host: string, port: number): boolean {
  return port > 0 && isHostName(host);
}

function compareSrv(a: SrvRecord, b: SrvRecord): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.port - b.port;
}
