import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';
import type { Family } from './addresses.ts';

/** Names remembered, the newest. */
const MAX_CACHED = 1_000;
/** How long an address is remembered, ms: dns.lookup does not tell the record's own time to live. */
const FOUND_TTL_MS = 30_000;
/** How long a failure is remembered, ms. */
const FAILED_TTL_MS = 5_000;
/** How long a caller waits for an answer, ms. */
const WAIT_MS = 5_000;
/** Names being looked up at once. An unanswered one counts until the system gives it up, however long the caller waited. */
const MAX_PENDING = 200;
/** RFC 1035 2.3.4, as text without the final dot. */
const MAX_NAME_CHARS = 253;
/** `_` is no part of a host name but seen in practice. */
const NAME = /^[a-z0-9_][a-z0-9_.-]*$/i;
const LETTER = /[a-z]/i;

export type Resolved =
  | { readonly ok: true; readonly address: string; readonly family: Family }
  | { readonly ok: false; readonly reason: string };

/** Looks a name up in the system; `family` 0 takes either. Calls `done` once. */
export type Lookup = (
  host: string,
  family: 0 | Family,
  done: (error: Error | null, address: string) => void,
) => void;

interface Cached {
  readonly result: Resolved;
  readonly expiresMs: number;
}

function failed(reason: string): Resolved {
  return { ok: false, reason };
}

/** A numeric address (IPv6 also in brackets) as a result, or null when `host` is a name. */
function numeric(host: string, family: 0 | Family): Resolved | null {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const found = isIP(address);
  if (found !== 4 && found !== 6) return null;
  if (family !== 0 && family !== found) return failed(`${address} is not an IPv${family} address`);
  return { ok: true, address, family: found };
}

/** Whether the system may be asked for a name: its last label begins with a letter (RFC 3261 25.1, toplabel), so that `127.1` may not. */
function isHostName(host: string): boolean {
  if (host.length > MAX_NAME_CHARS || !NAME.test(host) || host.includes('..')) return false;
  const end = host.endsWith('.') ? host.length - 1 : host.length;
  return LETTER.test(host.charAt(host.lastIndexOf('.', end - 1) + 1));
}

/**
 * Finds the address of a host: at once for numeric ones and those in its cache, otherwise within 5 s. Asks the system's
 * resolver, for A and AAAA only.
 */
export class Resolver {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  /** Oldest first. */
  readonly #cache = new Map<string, Cached>();
  readonly #waiting = new Map<string, Promise<Resolved>>();
  #pending = 0;

  constructor(options: { readonly clock: Clock; readonly lookup?: Lookup }) {
    this.#clock = options.clock;
    this.#lookup = options.lookup ?? ((host, family, done) => systemLookup(host, { family }, done));
  }

  /** `family` 0: the one that the system prefers. Never rejects. */
  resolve(host: string, family: 0 | Family = 0): Resolved | Promise<Resolved> {
    const address = numeric(host, family);
    if (address !== null) return address;
    if (!isHostName(host)) return failed('not a host name');
    const name = host.toLowerCase();
    const key = `${family} ${name}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.expiresMs > this.#clock.now()) return cached.result;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    if (this.#pending >= MAX_PENDING) return failed('too many names are being looked up');
    return this.#start(key, name, family);
  }

  #start(key: string, name: string, family: 0 | Family): Promise<Resolved> {
    let answered!: (result: Resolved) => void;
    const answer = new Promise<Resolved>((resolve) => {
      answered = resolve;
    });
    this.#waiting.set(key, answer);
    const end = (result: Resolved): void => {
      if (this.#waiting.get(key) === answer) this.#waiting.delete(key);
      this.#remember(key, result);
      answered(result);
    };
    const late = this.#clock.setTimer(WAIT_MS, () => end(failed(`no answer within ${WAIT_MS} ms`)));
    this.#pending += 1;
    this.#lookup(name, family, (error, address) => {
      this.#pending -= 1;
      late.cancel();
      // After the wait the callers have gone, but the answer serves the next ones.
      end(error === null ? (numeric(address, 0) ?? failed('no address')) : failed(error.message));
    });
    return answer;
  }

  #remember(key: string, result: Resolved): void {
    this.#cache.delete(key);
    this.#cache.set(key, {
      result,
      expiresMs: this.#clock.now() + (result.ok ? FOUND_TTL_MS : FAILED_TTL_MS),
    });
    if (this.#cache.size <= MAX_CACHED) return;
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined) this.#cache.delete(oldest);
  }
}
