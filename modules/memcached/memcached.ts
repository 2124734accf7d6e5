import { type Call, defineModule, errors } from '../../core/index.ts';
import type { Counter, WriteOptions } from './client.ts';
import { type KeyArgument, namedKey } from './key-reference.ts';
import type { KeyStore } from './key-store.ts';
import { limitFunctions } from './limits/functions.ts';
import { type KeyRest, MemcachedState } from './memcached-state.ts';
import type { CountOutcome, ReadOutcome, RemoveOutcome, TouchOutcome, WriteOutcome } from './outcome.ts';
import { params } from './params.ts';
import type { Bounds } from './patience.ts';
import type { ServerStatistics } from './statistics.ts';
import type { CacheValue } from './value.ts';

type MemcachedCall = Call<MemcachedState>;
type SignalOptions = Pick<Bounds, 'signal'>;

// The variables wait for their key only where it has to be looked up: what is asked for in one turn shall reach the client in that order.

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
    /** The client of a group. @throws ERR_MEMCACHED_GROUP */
    group: (name: string) => state.clientOf(name),
  }),
  pseudoVariables: {
    $mct: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a key, null when it is not there or no server answers. Write: stores a string or an integer; null deletes. `=>N` after the key is its lifetime in seconds, `@NAME|` before it its group of servers.',
      get: readVariable,
      async set(call: MemcachedCall, value: CacheValue | null, key: KeyArgument, ...rest: KeyRest) {
        const found = call.state.reference(call, key, rest);
        const reference = found instanceof Promise ? await found : found;
        const client = call.state.clientOf(reference.group);
        const bounds = call.state.bounds(call.scope);
        const { status } =
          value === null
            ? await client.remove(reference.key, bounds)
            : await client.write(reference.key, value, { budget: bounds.budget, expire: reference.expire });
        return status;
      },
    },
    $mcinc: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a counter. Write: adds a non-negative integer in one round trip and gives the new value; null, and nothing is created, when the key is not there.',
      get: readVariable,
      async set(call: MemcachedCall, value: number | bigint, key: KeyArgument, ...rest: KeyRest) {
        const found = call.state.reference(call, key, rest);
        const reference = found instanceof Promise ? await found : found;
        const bounds = call.state.bounds(call.scope);
        const outcome = await call.state.clientOf(reference.group).increment(reference.key, value, bounds);
        return newCount(outcome, '$mcinc', reference.key);
      },
    },
    $mcdec: {
      expands: true,
      parse: namedKey,
      doc: 'Value of a counter. Write: subtracts a non-negative integer in one round trip, not below 0, and gives the new value; null, and nothing is created, when the key is not there.',
      get: readVariable,
      async set(call: MemcachedCall, value: number | bigint, key: KeyArgument, ...rest: KeyRest) {
        const found = call.state.reference(call, key, rest);
        const reference = found instanceof Promise ? await found : found;
        const bounds = call.state.bounds(call.scope);
        const outcome = await call.state.clientOf(reference.group).decrement(reference.key, value, bounds);
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
        const found = call.state.reference(call, key, rest);
        const reference = found instanceof Promise ? await found : found;
        const bounds = call.state.bounds(call.scope);
        return (await call.state.clientOf(reference.group).touch(reference.key, value, bounds)).status;
      },
    },
  },
  functions: {
    read: {
      on: 'any',
      doc: 'Reads a key, and tells a miss from a server that is down.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<ReadOutcome>',
      call: ({ state, scope }, key: string, options?: SignalOptions): Promise<ReadOutcome> =>
        state.store(scope).read(key, options),
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
      ): Promise<WriteOutcome> => state.store(scope).write(key, value, options),
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
      ): Promise<CountOutcome> => state.store(scope).increment(key, n, options),
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
      ): Promise<CountOutcome> => state.store(scope).decrement(key, n, options),
    },
    count: {
      on: 'any',
      doc: 'A counter that `add` creates when it is not there. No count is lost when several proxies add at once.',
      signature: '(key: string): Counter',
      call: ({ state, scope }, key: string): Counter => state.store(scope).count(key),
    },
    touch: {
      on: 'any',
      doc: 'Gives a key another lifetime in seconds, and leaves its value alone.',
      signature: '(key: string, expire: number, options?: { signal?: AbortSignal }): Promise<TouchOutcome>',
      call: ({ state, scope }, key: string, expire: number, options?: SignalOptions): Promise<TouchOutcome> =>
        state.store(scope).touch(key, expire, options),
    },
    remove: {
      on: 'any',
      doc: 'Deletes a key. Kept in the journal when it was not answered.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<RemoveOutcome>',
      call: ({ state, scope }, key: string, options?: SignalOptions): Promise<RemoveOutcome> =>
        state.store(scope).remove(key, options),
    },
    group: {
      on: 'any',
      doc: 'The functions above on the keys of a group: `group(name).read(key)`. An unknown name throws ERR_MEMCACHED_GROUP.',
      signature: '(name: string): KeyStore',
      call: ({ state, scope }, name: string): KeyStore => state.store(scope, name),
    },
    ...limitFunctions,
    statistics: {
      on: 'any',
      doc: 'Hits, misses, errors, timeouts, bytes and latencies since the start, by server and command, and the figures of each journal.',
      signature: '(): Readonly<Record<string, ServerStatistics>>',
      call: ({ state }): Readonly<Record<string, ServerStatistics>> => state.statistics(),
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
  const found = call.state.reference(call, key, rest);
  const reference = found instanceof Promise ? await found : found;
  const outcome = await call.state
    .clientOf(reference.group)
    .read(reference.key, call.state.bounds(call.scope));
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
