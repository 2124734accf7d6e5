import { type Clock, errors } from '../../core/index.ts';
import { endOfLifetime } from './lifetime.ts';
import type {
  CountOutcome,
  Down,
  ReadOutcome,
  RemoveOutcome,
  TableValue,
  TouchOutcome,
  WriteOutcome,
} from './outcome.ts';
import { NEVER, type Stored, type Table } from './table.ts';

/** Counters have 64 bits, unsigned, as those of memcached. */
const MODULUS = 2n ** 64n;

/** What every operation takes. Nothing here waits; one whose signal was aborted before is not done, as with memcached. */
export interface SignalOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions extends SignalOptions {
  /** Lifetime, s; that of the table. */
  readonly expire?: number | undefined;
}

export interface CountOptions extends WriteOptions {
  /** What the counter starts from when it is not there; 0. */
  readonly initial?: number;
}

/** A counter that is created when it is not there. */
export interface Counter {
  add(n: number | bigint, options?: CountOptions): Promise<CountOutcome>;
}

/** A table with the operations of the module memcached, their results and their meaning. */
export class Store {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async read(key: string, options: SignalOptions = {}): Promise<ReadOutcome> {
    if (isAborted(options)) return ABORTED;
    const value = this.#table.get(checkedKey(key));
    return value === null ? { status: 'miss' } : { status: 'hit', value };
  }

  async write(key: string, value: TableValue, options: WriteOptions = {}): Promise<WriteOutcome> {
    if (isAborted(options)) return ABORTED;
    const stored = this.#table.set(
      checkedKey(key),
      checkedValue('write', value),
      this.#end('write', options.expire),
    );
    return writeOutcome(stored);
  }

  /** Adds to a counter that is there. Its lifetime stays as it is. */
  async increment(key: string, n: number | bigint, options: SignalOptions = {}): Promise<CountOutcome> {
    const delta = checkedDelta('increment', n);
    return isAborted(options) ? ABORTED : this.#step(key, delta);
  }

  /** Subtracts from a counter that is there; it stops at 0. Its lifetime stays as it is. */
  async decrement(key: string, n: number | bigint, options: SignalOptions = {}): Promise<CountOutcome> {
    const delta = checkedDelta('decrement', n);
    return isAborted(options) ? ABORTED : this.#step(key, -delta);
  }

  count(key: string): Counter {
    return { add: (n, options = {}) => this.#createOrStep(key, n, options) };
  }

  async touch(key: string, expire: number, options: SignalOptions = {}): Promise<TouchOutcome> {
    if (isAborted(options)) return ABORTED;
    const endMs = endOfLifetime('touch', expire, this.#clock.now());
    return { status: this.#table.touch(checkedKey(key), endMs) ? 'touched' : 'missing' };
  }

  async remove(key: string, options: SignalOptions = {}): Promise<RemoveOutcome> {
    if (isAborted(options)) return ABORTED;
    return { status: this.#table.delete(checkedKey(key)) ? 'removed' : 'missing' };
  }

  async #createOrStep(key: string, n: number | bigint, options: CountOptions): Promise<CountOutcome> {
    const delta = checkedDelta('count', n);
    if (isAborted(options)) return ABORTED;
    const outcome = this.#step(key, delta);
    if (outcome.status !== 'missing') return outcome;
    const initial = checkedDelta('count: initial', options.initial ?? 0);
    const value = asNumber(BigInt.asUintN(64, initial + delta));
    const stored = this.#table.set(key, value, this.#end('count', options.expire));
    return stored.status === 'stored' ? { status: 'done', value } : down(stored);
  }

  #step(key: string, delta: bigint): CountOutcome {
    const endMs = this.#table.endOf(checkedKey(key));
    const before = this.#table.get(key);
    if (endMs === null || before === null) return { status: 'missing' };
    if (typeof before === 'string' || before < 0) return { status: 'not-a-number' };
    const sum = BigInt(before) + delta;
    const value = asNumber(sum < 0n ? 0n : sum % MODULUS);
    const stored = this.#table.set(key, value, endMs);
    return stored.status === 'stored' ? { status: 'done', value } : down(stored);
  }

  /** When a value that is written now ends, ms of the clock. */
  #end(caller: string, expire: number | undefined): number {
    const nowMs = this.#clock.now();
    if (expire !== undefined) return endOfLifetime(caller, expire, nowMs);
    const { autoexpireS } = this.#table.definition;
    return autoexpireS === 0 ? NEVER : nowMs + autoexpireS * 1000;
  }
}

const ABORTED: Down = { status: 'down', reason: 'aborted' };

function isAborted({ signal }: SignalOptions): boolean {
  return signal?.aborted === true;
}

/** What a write came to, as the module memcached says it. */
export function writeOutcome(stored: Stored): WriteOutcome {
  return stored.status === 'full' ? down(stored) : stored;
}

function down(stored: Exclude<Stored, { readonly status: 'stored' }>): Down {
  return { status: 'down', reason: stored.status === 'full' ? stored.reason : 'the value is too large' };
}

/** @throws ERR_HTABLE_NAME when it is no string. */
function checkedKey(key: string): string {
  if (typeof key === 'string') return key;
  throw errors.ERR_HTABLE_NAME('htable', `a key is a string, found ${key === null ? 'null' : typeof key}`);
}

/** @throws ERR_HTABLE_VALUE when it is neither a string nor an integer. */
export function checkedValue(caller: string, value: TableValue): TableValue {
  if (typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value)) return value;
  const found = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
  throw errors.ERR_HTABLE_VALUE(caller, 'the value', 'a string, a safe integer or a bigint', found);
}

/** @throws ERR_HTABLE_VALUE when it is no integer from 0 to 2^64-1. */
function checkedDelta(caller: string, n: number | bigint): bigint {
  const isInteger = typeof n === 'bigint' || (typeof n === 'number' && Number.isSafeInteger(n));
  if (isInteger && n >= 0 && BigInt(n) < MODULUS) return BigInt(n);
  const found = typeof n === 'string' ? JSON.stringify(n) : String(n);
  throw errors.ERR_HTABLE_VALUE(caller, 'the step', 'a non-negative integer', found);
}

/** A number, or a bigint where a number would not be exact. */
function asNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
