import { DEFAULT_PORTS, type Protocol, type Target } from '../sip/hop.ts';
import type { DnsQueries } from './dns-client.ts';
import { isHostName, type Resolved, type Resolver } from './resolver.ts';
import { type Domain, type Families, type ServerRecords, ServerSearch } from './server-records.ts';
import { SharedLookups } from './shared-lookups.ts';
import { orderByWeight, randomFrom } from './srv-order.ts';

/** How long a caller waits for NAPTR and SRV records, ms; the host's own addresses are tried after that. */
const WAIT_MS = 3_000;
/** How long it is remembered that DNS did not answer, ms. */
const SILENT_TTL_MS = 5_000;
/** Targets that one look-up gives. */
const MAX_TARGETS = 16;

/** A SIP server to be found: host and port as a URI has them. */
export interface Wanted extends Domain {
  /** Null where the URI has none. */
  readonly port: number | null;
}

/** Where a request may go, in the order to try. */
export type Located =
  | { readonly ok: true; readonly targets: readonly [Target, ...Target[]] }
  | { readonly ok: false; readonly reason: string };

interface LocatorOptions {
  /** For the addresses of hosts; waits go by its clock. */
  readonly resolver: Resolver;
  /** For NAPTR and SRV records; null: there are none. */
  readonly dns: DnsQueries | null;
  readonly families: Families;
}

/** Finds the servers of a URI (RFC 3263 4): by NAPTR and SRV records where the URI leaves them a choice, else by address. */
export class Locator {
  readonly #options: LocatorOptions;
  readonly #records: SharedLookups<ServerRecords>;

  constructor(options: LocatorOptions) {
    this.#options = options;
    this.#records = new SharedLookups<ServerRecords>({
      clock: options.resolver.clock,
      waitMs: WAIT_MS,
      failed: (reason) => ({ ok: false, reason }),
      lifetimeMs: (found) => (found.ok ? found.lifetimeMs : SILENT_TTL_MS),
    });
  }

  /** Whether DNS chooses the protocol, so that the wanted one is a proposal only. */
  choosesProtocol(wanted: Wanted): boolean {
    return !wanted.isGiven && this.#hasRecords(wanted);
  }

  /**
   * Where to go; a promise only where DNS or the system has to be asked. Requests with the same `seed` are sent to the same one of servers
   * of equal priority.
   */
  locate(wanted: Wanted, seed: string): Located | Promise<Located> {
    const { dns, resolver, families } = this.#options;
    if (dns === null || !this.#hasRecords(wanted)) return this.#byAddress(wanted, wanted.protocol);
    const choice = wanted.isGiven ? wanted.protocol : wanted.isSecure ? 'sips' : 'sip';
    const records = this.#records.find(`${choice} ${wanted.host.toLowerCase()}`, (done) => {
      void new ServerSearch({ dns, resolver, families }).find(wanted).then(done);
    });
    if (records instanceof Promise) return records.then((found) => this.#byRecords(wanted, found, seed));
    return this.#byRecords(wanted, records, seed);
  }

  /** Whether a URI leads to NAPTR or SRV records: it has no port, and a name with a dot, which a mere machine name has not. */
  #hasRecords({ host, port, protocol }: Wanted): boolean {
    if (this.#options.dns === null || port !== null || protocol === 'ws' || protocol === 'wss') return false;
    const dot = host.indexOf('.');
    return dot > 0 && dot < host.length - 1 && isHostName(host);
  }

  #byRecords(wanted: Wanted, records: ServerRecords, seed: string): Located | Promise<Located> {
    if (!records.ok) return this.#byAddress(wanted, wanted.protocol);
    if (records.refusal !== null) return { ok: false, reason: records.refusal };
    const random = randomFrom(seed);
    const targets = records.groups
      .flatMap((servers) => orderByWeight(servers, random))
      .flatMap(({ protocol, addresses, port }) =>
        addresses.map((address): Target => ({ protocol, address, port })),
      );
    const [first, ...others] = targets.slice(0, MAX_TARGETS);
    if (first === undefined) return this.#byAddress(wanted, records.protocol);
    return { ok: true, targets: [first, ...others] };
  }

  #byAddress({ host, port }: Wanted, protocol: Protocol): Located | Promise<Located> {
    const { resolver, families } = this.#options;
    const family = families.get(protocol);
    if (family === undefined) return { ok: false, reason: `no listen address for transport ${protocol}` };
    const place = { protocol, port: port ?? DEFAULT_PORTS[protocol] };
    const found = resolver.resolve(host, family);
    if (found instanceof Promise) return found.then((address) => located(address, place));
    return located(found, place);
  }
}

function located(found: Resolved, { protocol, port }: Pick<Target, 'protocol' | 'port'>): Located {
  if (!found.ok) return found;
  const others = found.others.map((address): Target => ({ protocol, address, port }));
  return { ok: true, targets: [{ protocol, address: found.address, port }, ...others] };
}
