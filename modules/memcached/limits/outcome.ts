import type { Down } from '../outcome.ts';
import type { CacheValue } from '../value.ts';

/** Who counted: all proxies, this process alone since the store is down, or nobody. */
type CountedBy = 'cluster' | 'local' | 'nobody';

/** What a limit does while the store is down: grants all, nothing, or what this process alone counts up to the limit. */
export type OnDown = 'open' | 'closed' | 'local';

/** Set when the store answers, and others changed the limit each time until the caller's time was over: there may be room. */
interface Busy {
  readonly busy?: true;
}

/** What `acquire` came to. `down`: only with `onDown: 'closed'`. */
export type AcquireOutcome =
  | { readonly status: 'acquired'; readonly active: number; readonly countedBy: CountedBy }
  | ({ readonly status: 'full'; readonly active: number; readonly countedBy: CountedBy } & Busy)
  | Down;

/** What `renew` came to. `missing`: it was released before, has ended, or was never there. */
export type RenewOutcome =
  | { readonly status: 'renewed'; readonly active: number }
  | { readonly status: 'missing'; readonly active: number }
  | Down;

/** What `release` came to. `kept`: another fork of the call has the place. `missing`: it was released before, or has ended. */
export type ReleaseOutcome =
  | { readonly status: 'released'; readonly active: number }
  | { readonly status: 'kept'; readonly active: number }
  | { readonly status: 'missing'; readonly active: number }
  | Down;

/** What `active` came to. */
export type ActiveOutcome = { readonly status: 'done'; readonly active: number } | Down;

/** What `rate` and `distinct` came to, with the count that decided. `down`: only with `onDown: 'closed'`. */
export type LimitOutcome =
  | { readonly status: 'allowed'; readonly count: number; readonly countedBy: CountedBy }
  | ({ readonly status: 'exceeded'; readonly count: number; readonly countedBy: CountedBy } & Busy)
  | Down;

/** What `remember` came to. `loaded`: computed here, whether or not it could be stored. */
export type RememberOutcome =
  | { readonly status: 'hit'; readonly value: CacheValue }
  | { readonly status: 'loaded'; readonly value: CacheValue | null }
  | Down;
