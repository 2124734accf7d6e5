import { type Call, defineModule, errors } from '../../core/index.ts';
import type { Counter, CountOptions, WriteOptions } from './client.ts';
import { type KeyArgument, namedKey } from './key-reference.ts';
import { limitFunctions } from './limits/functions.ts';
import { type KeyRest, MemcachedState } from './memcached-state.ts';
import type { CountOutcome, ReadOutcome, RemoveOutcome, TouchOutcome, WriteOutcome } from './outcome.ts';
import { params } from './params.ts';
import type { Bounds } from './patience.ts';
import type { ServerStatistics } from './statistics.ts';
import type { CacheValue } from './value.ts';

type MemcachedCall = Call<MemcachedState>;
type SignalOptions = Pick<Bounds, 'signal'>;

/** Values and counters that several proxies share. */
export const memcached = defineModule({
  name: 'memcached',
  doc: 'Keeps values and counters in memcached, where several proxies share them.',
  depends: [],
  params,
  init: ({ params: values, core, log }) => new MemcachedState(values, core, log),
  /** The client is there from `start` on. */
  api: (state) => ({
    get client() {
      return state.client;
    },
  }),
  pseudoVariables: {
    $mct: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a key, null when it is not there or no server answers. Write: stores a string or an integer; null deletes. `=>N` after the key is its lifetime in seconds.',
      get: readVariable,
      async set(call: MemcachedCall, value: CacheValue | null, key: KeyArgument, ...rest: KeyRest) {
        const { client } = call.state;
        const reference = await call.state.reference(call, key, rest);
        const bounds = call.state.bounds(call.scope);
        const { status } =
          value === null
            ? await client.remove(reference.key, bounds)
            : await client.write(reference.key, value, { ...bounds, expire: reference.expire });
        return status;
      },
    },
    $mcinc: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a counter. Write: adds a non-negative integer in one round trip and gives the new value; null, and nothing is created, when the key is not there.',
      get: readVariable,
      async set(call: MemcachedCall, value: number | bigint, key: KeyArgument, ...rest: KeyRest) {
        const reference = await call.state.reference(call, key, rest);
        const bounds = call.state.bounds(call.scope);
        const outcome = await call.state.client.increment(reference.key, value, bounds);
        return newCount(outcome, '$mcinc', reference.key);
      },
    },
    $mcdec: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a counter. Write: subtracts a non-negative integer in one round trip, not below 0, and gives the new value; null, and nothing is created, when the key is not there.',
      get: readVariable,
      async set(call: MemcachedCall, value: number | bigint, key: KeyArgument, ...rest: KeyRest) {
        const reference = await call.state.reference(call, key, rest);
        const bounds = call.state.bounds(call.scope);
        const outcome = await call.state.client.decrement(reference.key, value, bounds);
        return newCount(outcome, '$mcdec', reference.key);
      },
    },
    $mctex: {
      expands: true,
      parse: namedKey,
      doc: 'Always null. Write: gives a key that is there another lifetime in seconds, and leaves its value alone.',
      get: (_call: MemcachedCall, _key: KeyArgument, ..._rest: KeyRest): Promise<null> =>
        Promise.resolve(null),
      async set(call: MemcachedCall, value: number, key: KeyArgument, ...rest: KeyRest) {
        const reference = await call.state.reference(call, key, rest);
        const bounds = call.state.bounds(call.scope);
        return (await call.state.client.touch(reference.key, value, bounds)).status;
      },
    },
  },
  functions: {
    read: {
      on: 'any',
      doc: 'Reads a key, and tells a miss from a server that is down.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<ReadOutcome>',
      call: ({ state, scope }, key: string, options?: SignalOptions): Promise<ReadOutcome> =>
        state.client.read(key, state.bounds(scope, options)),
    },
    write: {
      on: 'any',
      doc: 'Stores a string or an integer.',
      signature:
        '(key: string, value: CacheValue, options?: { expire?: number; signal?: AbortSignal }): Promise<WriteOutcome>',
      call: (
        { state, scope },
        key: string,
        value: CacheValue,
        options?: Pick<WriteOptions, 'expire' | 'signal'>,
      ): Promise<WriteOutcome> =>
        state.client.write(key, value, { ...state.bounds(scope, options), expire: options?.expire }),
    },
    increment: {
      on: 'any',
      doc: 'Adds to a counter that is there.',
      signature:
        '(key: string, n: number | bigint, options?: { signal?: AbortSignal }): Promise<CountOutcome>',
      call: (
        { state, scope },
        key: string,
        n: number | bigint,
        options?: SignalOptions,
      ): Promise<CountOutcome> => state.client.increment(key, n, state.bounds(scope, options)),
    },
    decrement: {
      on: 'any',
      doc: 'Subtracts from a counter that is there, not below 0. Kept in the journal when it did not reach the server.',
      signature:
        '(key: string, n: number | bigint, options?: { signal?: AbortSignal }): Promise<CountOutcome>',
      call: (
        { state, scope },
        key: string,
        n: number | bigint,
        options?: SignalOptions,
      ): Promise<CountOutcome> => state.client.decrement(key, n, state.bounds(scope, options)),
    },
    count: {
      on: 'any',
      doc: 'A counter that `add` creates when it is not there. No count is lost when several proxies add at once.',
      signature: '(key: string): Counter',
      call: ({ state, scope }, key: string): Counter => ({
        add: (n: number | bigint, options: CountOptions = {}) =>
          state.client.count(key).add(n, { ...options, ...state.bounds(scope, options) }),
      }),
    },
    touch: {
      on: 'any',
      doc: 'Gives a key another lifetime in seconds, and leaves its value alone.',
      signature: '(key: string, expire: number, options?: { signal?: AbortSignal }): Promise<TouchOutcome>',
      call: ({ state, scope }, key: string, expire: number, options?: SignalOptions): Promise<TouchOutcome> =>
        state.client.touch(key, expire, state.bounds(scope, options)),
    },
    remove: {
      on: 'any',
      doc: 'Deletes a key. Kept in the journal when it was not answered.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<RemoveOutcome>',
      call: ({ state, scope }, key: string, options?: SignalOptions): Promise<RemoveOutcome> =>
        state.client.remove(key, state.bounds(scope, options)),
    },
    ...limitFunctions,
    statistics: {
      on: 'any',
      doc: 'Hits, misses, errors and timeouts since the start, by server and command, and the figures of each journal.',
      signature: '(): Readonly<Record<string, ServerStatistics>>',
      call: ({ state }): Readonly<Record<string, ServerStatistics>> => state.client.statistics(),
    },
  },
  start: (state) => state.start(),
  stop: (state) => state.stop(),
});

/** A miss and a server that is down both read as null, as in Kamailio. */
async function readVariable(
  call: MemcachedCall,
  key: KeyArgument,
  ...rest: KeyRest
): Promise<CacheValue | null> {
  const reference = await call.state.reference(call, key, rest);
  const outcome = await call.state.client.read(reference.key, call.state.bounds(call.scope));
  return outcome.status === 'hit' ? outcome.value : null;
}

/** @throws ERR_MEMCACHED_NOT_A_NUMBER */
function newCount(outcome: CountOutcome, variable: string, key: string): number | bigint | null {
  if (outcome.status === 'done') return outcome.value;
  if (outcome.status === 'not-a-number') throw errors.ERR_MEMCACHED_NOT_A_NUMBER(variable, key);
  return null;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    memcached: typeof memcached;
  }
}
