import type { Call } from '../../../core/index.ts';
import type { MemcachedState } from '../memcached-state.ts';
import type {
  AcquireOptions,
  DistinctOptions,
  RateOptions,
  RememberOptions,
  RenewOptions,
} from './options.ts';
import type {
  AcquireOutcome,
  ActiveOutcome,
  LimitOutcome,
  ReleaseOutcome,
  RememberOutcome,
  RenewOutcome,
} from './outcome.ts';
import type { Load } from './remember.ts';
import type { Bounds } from '../patience.ts';

type MemcachedCall = Call<MemcachedState>;
type SignalOptions = Pick<Bounds, 'signal'>;

/** The functions of the module that limit what calls may do. */
export const limitFunctions = {
  acquire: {
    on: 'any',
    doc: 'Takes one of `max` places for a call; the same `id` takes one however often it asks. Two round trips, shared by all calls that ask for the limit at the time.',
    signature:
      "(limitKey: string, options: { max: number; id: string | null; ttl: number; onDown?: 'open' | 'closed' | 'local'; signal?: AbortSignal }): Promise<AcquireOutcome>",
    call: (
      { state, scope }: MemcachedCall,
      limitKey: string,
      options: AcquireOptions,
    ): Promise<AcquireOutcome> =>
      state.limits.leases.acquire(
        limitKey,
        options,
        state.bounds(scope, options),
        state.limits.forks.open(scope.avps),
      ),
  },
  renew: {
    on: 'any',
    doc: "Gives a call's place `ttl` more seconds; makes none. Two round trips; one when there is no such place.",
    signature:
      '(limitKey: string, id: string | null, options: { ttl: number; signal?: AbortSignal }): Promise<RenewOutcome>',
    call: (
      { state, scope }: MemcachedCall,
      limitKey: string,
      id: string | null,
      options: RenewOptions,
    ): Promise<RenewOutcome> =>
      state.limits.leases.renew(limitKey, id, options, state.bounds(scope, options)),
  },
  release: {
    on: 'any',
    doc: "Gives a call's place back, once; in the handlers of an INVITE that asked for it only for this fork of the call. Kept in the journal while the server is down. Two round trips; one when there is nothing to give back.",
    signature:
      '(limitKey: string, id: string | null, options?: { signal?: AbortSignal }): Promise<ReleaseOutcome>',
    call: (
      { state, scope }: MemcachedCall,
      limitKey: string,
      id: string | null,
      options: SignalOptions = {},
    ): Promise<ReleaseOutcome> =>
      state.limits.leases.release(
        limitKey,
        id,
        state.bounds(scope, options),
        state.limits.forks.of(scope.avps),
      ),
  },
  active: {
    on: 'any',
    doc: 'Counts the places that are taken. One round trip.',
    signature: '(limitKey: string, options?: { signal?: AbortSignal }): Promise<ActiveOutcome>',
    call: (
      { state, scope }: MemcachedCall,
      limitKey: string,
      options: SignalOptions = {},
    ): Promise<ActiveOutcome> => state.limits.leases.active(limitKey, state.bounds(scope, options)),
  },
  rate: {
    on: 'any',
    doc: 'Counts once, unless the last `per` (a name or seconds) would then hold more than `limit`. One round trip; two for the first in each twentieth of the period.',
    signature:
      "(key: string, options: { limit: number; per: 'second' | 'minute' | 'hour' | 'day' | number; onDown?: 'open' | 'closed' | 'local'; signal?: AbortSignal }): Promise<LimitOutcome>",
    call: ({ state, scope }: MemcachedCall, key: string, options: RateOptions): Promise<LimitOutcome> =>
      state.limits.rates.rate(key, options, state.bounds(scope, options)),
  },
  distinct: {
    on: 'any',
    doc: 'Counts different things: `item` once, for `per` from when it was last seen, unless `max` others are counted already. Two round trips; one when it is exceeded.',
    signature:
      "(key: string, item: string | null, options: { max: number; per: 'second' | 'minute' | 'hour' | 'day' | number; onDown?: 'open' | 'closed' | 'local'; signal?: AbortSignal }): Promise<LimitOutcome>",
    call: (
      { state, scope }: MemcachedCall,
      key: string,
      item: string | null,
      options: DistinctOptions,
    ): Promise<LimitOutcome> =>
      state.limits.leases.distinct(key, item, options, state.bounds(scope, options)),
  },
  remember: {
    on: 'any',
    doc: 'Reads a key; when it is not there, `load` computes its value for `ttl` seconds, in one proxy at a time. One round trip when it is there; five and `load` when not.',
    signature:
      "(key: string, ttl: number, load: () => CacheValue | null | Promise<CacheValue | null>, options?: { onDown?: 'open' | 'closed' | 'local'; signal?: AbortSignal }): Promise<RememberOutcome>",
    call: (
      { state, scope }: MemcachedCall,
      key: string,
      ttl: number,
      load: Load,
      options: RememberOptions = {},
    ): Promise<RememberOutcome> =>
      state.limits.memory.remember(key, ttl, { load, options, bounds: state.bounds(scope, options) }),
  },
} as const;
