import { errors } from '../../../core/index.ts';
import type { Bounds } from '../patience.ts';
import type { OnDown } from './outcome.ts';

/** Leases that one limit may grant: the store's value for so many is 320 kB. */
export const MAX_LEASES = 10_000;
/** Longest lease and longest window, s: a week. */
export const MAX_SPAN_S = 604_800;
/** Largest `limit` of a rate. */
const MAX_RATE = 1_000_000_000;

/** Seconds of the periods that have a name. */
const PERIODS_S = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;

/** A period: its name, or seconds. */
export type Period = keyof typeof PERIODS_S | number;

interface PolicyOptions extends Pick<Bounds, 'signal'> {
  /** What happens while the store is down; `local`. */
  readonly onDown?: OnDown;
}

export interface AcquireOptions extends PolicyOptions {
  /** Leases at a time, 1 to 10,000. */
  readonly max: number;
  /** What is counted once, however often it asks: the Call-ID. Null fails. */
  readonly id: string | null;
  /** Lifetime of the lease, s, unless it is renewed. */
  readonly ttl: number;
}

export interface RenewOptions extends Pick<Bounds, 'signal'> {
  /** Lifetime of the lease from now on, s. */
  readonly ttl: number;
}

export interface RateOptions extends PolicyOptions {
  /** How often within `per`. */
  readonly limit: number;
  readonly per: Period;
}

export interface DistinctOptions extends PolicyOptions {
  /** Different things within `per`, 1 to 10,000. */
  readonly max: number;
  readonly per: Period;
}

export interface RememberOptions extends Pick<Bounds, 'signal'> {
  /** What happens while the store is down: `open` computes, `closed` does not, `local`, the default, keeps what was computed in this process. */
  readonly onDown?: OnDown;
}

/** @throws ERR_MEMCACHED_LIMIT when it is no whole number within the bounds. */
export function checkedCount(value: number, what: string, max: number = MAX_RATE): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw errors.ERR_MEMCACHED_LIMIT(what, `an integer from 1 to ${max}`, shown(value));
}

/**
 * A lifetime or period in ms.
 *
 * @throws ERR_MEMCACHED_LIMIT when it is none.
 */
export function checkedSpanMs(value: Period, what: string): number {
  const seconds = typeof value === 'string' && Object.hasOwn(PERIODS_S, value) ? PERIODS_S[value] : value;
  if (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SPAN_S) return seconds * 1000;
  const names = typeof value === 'string' ? `${Object.keys(PERIODS_S).join(', ')} or ` : '';
  throw errors.ERR_MEMCACHED_LIMIT(what, `${names}seconds above 0, up to ${MAX_SPAN_S}`, shown(value));
}

/** @throws ERR_MEMCACHED_LIMIT when it is null, empty or no text: calls without it must not share one. */
export function checkedText(value: string | null, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw errors.ERR_MEMCACHED_LIMIT(what, 'a text that is not empty', shown(value));
}

/** @throws ERR_MEMCACHED_LIMIT when it is none. */
export function checkedPolicy(value: OnDown | undefined, what: string): OnDown {
  if (value === undefined) return 'local';
  if (value === 'open' || value === 'closed' || value === 'local') return value;
  throw errors.ERR_MEMCACHED_LIMIT(what, 'open, closed or local', shown(value));
}

/** Whatever a route passed, for a message. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
