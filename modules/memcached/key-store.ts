import type { CacheClient, Counter, CountOptions, WriteOptions } from './client.ts';
import type { CountOutcome, ReadOutcome, RemoveOutcome, TouchOutcome, WriteOutcome } from './outcome.ts';
import type { Bounds } from './patience.ts';
import type { CacheValue } from './value.ts';

type SignalOptions = Pick<Bounds, 'signal'>;

/** What a handler does with the keys of one group of servers. */
export class KeyStore {
  readonly #client: CacheClient;
  readonly #bounds: (options?: SignalOptions) => Bounds;

  /** `bounds`: how long an operation of the handler's run may wait. */
  constructor(client: CacheClient, bounds: (options?: SignalOptions) => Bounds) {
    this.#client = client;
    this.#bounds = bounds;
  }

  /** Reads a key, and tells a miss from a server that is down. */
  read(key: string, options?: SignalOptions): Promise<ReadOutcome> {
    return this.#client.read(key, this.#bounds(options));
  }

  /** Stores a string or an integer. */
  write(
    key: string,
    value: CacheValue,
    options?: Pick<WriteOptions, 'expire' | 'signal'>,
  ): Promise<WriteOutcome> {
    return this.#client.write(key, value, { ...this.#bounds(options), expire: options?.expire });
  }

  /** Adds to a counter that is there. */
  increment(key: string, n: number | bigint, options?: SignalOptions): Promise<CountOutcome> {
    return this.#client.increment(key, n, this.#bounds(options));
  }

  /** Subtracts from a counter that is there, not below 0. */
  decrement(key: string, n: number | bigint, options?: SignalOptions): Promise<CountOutcome> {
    return this.#client.decrement(key, n, this.#bounds(options));
  }

  /** A counter that `add` creates when it is not there. */
  count(key: string): Counter {
    return {
      add: (n: number | bigint, options: CountOptions = {}) =>
        this.#client.count(key).add(n, { ...options, ...this.#bounds(options) }),
    };
  }

  /** Gives a key another lifetime, s. */
  touch(key: string, expire: number, options?: SignalOptions): Promise<TouchOutcome> {
    return this.#client.touch(key, expire, this.#bounds(options));
  }

  /** Deletes a key. */
  remove(key: string, options?: SignalOptions): Promise<RemoveOutcome> {
    return this.#client.remove(key, this.#bounds(options));
  }
}
