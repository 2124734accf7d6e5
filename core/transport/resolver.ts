import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';
import type { Family } from './addresses.ts';
import { type LookupCounters, SharedLookups } from './shared-lookups.ts';

/** How long an address is remembered, ms: dns.lookup does not tell the record's own time to live. */
const FOUND_TTL_MS = 30_000;
/** How long a failure is remembered, ms. */
const FAILED_TTL_MS = 5_000;
/** How long a caller waits for an answer, ms. */
const WAIT_MS = 5_000;
/** Addresses of a name that are kept. */
const MAX_ADDRESSES = 16;
/** RFC 1035 2.3.4, as text without the final dot. */
const MAX_NAME_CHARS = 253;
/** `_` is no part of a host name but seen in practice. */
const NAME = /^[a-z0-9_][a-z0-9_.-]*$/i;
const LETTER = /[a-z]/i;

export type Resolved =
  | {
      readonly ok: true;
      readonly address: string;
      readonly family: Family;
      /** More addresses of the same host, in the order to try. */
      readonly others: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

/** Looks a name up in the system; `family` 0 takes either. Calls `done` once, with one address or several. */
export type Lookup = (
  host: string,
  family: 0 | Family,
  done: (error: Error | null, found: string | readonly string[]) => void,
) => void;

const NO_OTHERS: readonly string[] = [];

function failed(reason: string): Resolved {
  return { ok: false, reason };
}

/** A numeric address (IPv6 also in brackets) as a result, or null when `host` is a name. */
function numeric(host: string, family: 0 | Family): Resolved | null {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const found = isIP(address);
  if (found !== 4 && found !== 6) return null;
  if (family !== 0 && family !== found) return failed(`${address} is not an IPv${family} address`);
  return { ok: true, address, family: found, others: NO_OTHERS };
}

function resolved(found: string | readonly string[]): Resolved {
  const [address = '', ...others] = typeof found === 'string' ? [found] : found;
  const first = numeric(address, 0);
  if (first?.ok !== true) return failed('no address');
  return others.length === 0 ? first : { ...first, others: others.slice(0, MAX_ADDRESSES - 1) };
}

/**
 * Whether DNS may be asked for a name: its last label begins with a letter (RFC 3261 25.1, toplabel), so that `127.1` may not.
 */
export function isHostName(host: string): boolean {
  if (host.length > MAX_NAME_CHARS || !NAME.test(host) || host.includes('..')) return false;
  const end = host.endsWith('.') ? host.length - 1 : host.length;
  return LETTER.test(host.charAt(host.lastIndexOf('.', end - 1) + 1));
}

/** Looks a name up by the system's own means, /etc/hosts among them. */
export function askSystem(
  host: string,
  family: 0 | Family,
  done: (error: Error | null, found: readonly string[]) => void,
): void {
  systemLookup(host, { family, all: true }, (error, found) =>
    done(error, error === null ? found.map(({ address }) => address) : NO_OTHERS),
  );
}

/**
 * Finds the addresses of a host: at once for numeric ones and those in its cache, otherwise within 5 s. Asks the system's
 * resolver, which knows /etc/hosts too, for A and AAAA only.
 */
export class Resolver {
  /** What its waits go by. */
  readonly clock: Clock;
  readonly #lookup: Lookup;
  readonly #lookups: SharedLookups<Resolved>;

  constructor({ clock, lookup = askSystem }: { readonly clock: Clock; readonly lookup?: Lookup }) {
    this.clock = clock;
    this.#lookup = lookup;
    this.#lookups = new SharedLookups({
      clock,
      waitMs: WAIT_MS,
      failed,
      lifetimeMs: ({ ok }) => (ok ? FOUND_TTL_MS : FAILED_TTL_MS),
    });
  }

  /** How look-ups of names ended; numeric addresses are none. */
  get counters(): Readonly<LookupCounters> {
    return this.#lookups.counters;
  }

  /** `family` 0: the one that the system prefers. Never rejects. */
  resolve(host: string, family: 0 | Family = 0): Resolved | Promise<Resolved> {
    const address = numeric(host, family);
    if (address !== null) return address;
    if (!isHostName(host)) return failed('not a host name');
    const name = host.toLowerCase();
    return this.#lookups.find(`${family} ${name}`, (done) =>
      this.#lookup(name, family, (error, found) =>
        done(error === null ? resolved(found) : failed(error.message)),
      ),
    );
  }
}
