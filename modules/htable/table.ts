import type { Clock } from '../../core/index.ts';
import type { TableDefinition } from './definition.ts';
import type { TableValue } from './outcome.ts';

/** Largest value, bytes: no SIP message by UDP brings a longer one. */
export const MAX_VALUE_BYTES = 65_536;
/** What an item takes besides key and value, bytes: about what the engine needs for it. */
const ITEM_OVERHEAD_BYTES = 100;
/** Items looked at in one go when clearing away, so that a large table holds up no message for long. */
export const SWEEP_SLICE = 10_000;
/** How often a full table looks for items whose lifetime is over before it refuses a new one, ms. */
const FULL_SWEEP_MS = 1000;

/** For ever. */
export const NEVER = Number.POSITIVE_INFINITY;

interface Item {
  value: TableValue;
  /** When its lifetime ends, ms of the clock. */
  endMs: number;
  bytes: number;
}

/** What a write came to. */
export type Stored =
  | { readonly status: 'stored' }
  | { readonly status: 'too-large'; readonly size: number; readonly limit: number }
  | { readonly status: 'full'; readonly reason: string };

export interface TableOptions {
  readonly definition: TableDefinition;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Told that a new item was refused. */
  readonly onFull: (reason: string) => void;
}

/** Values by key, each with a lifetime. */
export class Table {
  readonly definition: TableDefinition;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #onFull: (reason: string) => void;
  readonly #items = new Map<string, Item>();
  #bytes = 0;
  #refused = 0;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor({ definition, maxItems, maxBytes, clock, onFull }: TableOptions) {
    this.definition = definition;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#onFull = onFull;
  }

  /** Items, those whose lifetime is over but that have not been cleared away included. */
  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Writes refused because it was full. */
  get refused(): number {
    return this.#refused;
  }

  /** The value of a key; null when it is not there. */
  get(key: string): TableValue | null {
    return this.#living(key)?.value ?? null;
  }

  /** When a key's lifetime ends, ms of the clock; null when it is not there. */
  endOf(key: string): number | null {
    return this.#living(key)?.endMs ?? null;
  }

  /** Stores a value with a lifetime that ends then; null: as the definition of the table wants it. */
  set(key: string, value: TableValue, endMs: number | null = null): Stored {
    const size = bytesOf(value);
    if (size > MAX_VALUE_BYTES) return { status: 'too-large', size, limit: MAX_VALUE_BYTES };
    const before = this.#living(key);
    const bytes = ITEM_OVERHEAD_BYTES + Buffer.byteLength(key) + size;
    const reason = this.#refusal(before, bytes);
    if (reason !== null) {
      this.#refused += 1;
      this.#onFull(reason);
      return { status: 'full', reason };
    }
    const end = endMs ?? this.#endAfterChange(before);
    this.#bytes += bytes - (before?.bytes ?? 0);
    if (before === null) this.#items.set(key, { value, endMs: end, bytes });
    else {
      before.value = value;
      before.endMs = end;
      before.bytes = bytes;
    }
    return { status: 'stored' };
  }

  /** Changes the lifetime of a key. False when it is not there. */
  touch(key: string, endMs: number): boolean {
    const item = this.#living(key);
    if (item === null) return false;
    item.endMs = endMs;
    return true;
  }

  /** Removes a key. False when it is not there. */
  delete(key: string): boolean {
    const found = this.#living(key) !== null;
    if (found) this.#drop(key);
    return found;
  }

  clear(): void {
    this.#items.clear();
    this.#bytes = 0;
  }

  /** Keys and values that are there, as they come. */
  *living(): Generator<readonly [key: string, value: TableValue]> {
    const nowMs = this.#clock.now();
    for (const [key, { value, endMs }] of this.#items) if (endMs > nowMs) yield [key, value];
  }

  /** Whether there is an item of which `matches` holds. */
  has(matches: (key: string, value: TableValue) => boolean): boolean {
    for (const [key, value] of this.living()) if (matches(key, value)) return true;
    return false;
  }

  /** How many items there are of which `matches` holds. */
  countWhere(matches: (key: string, value: TableValue) => boolean): number {
    let count = 0;
    for (const [key, value] of this.living()) if (matches(key, value)) count++;
    return count;
  }

  /** Removes every key of which `matches` holds; returns how many. */
  deleteWhere(matches: (key: string, value: TableValue) => boolean): number {
    let removed = 0;
    for (const [key, value] of this.living()) {
      if (!matches(key, value)) continue;
      this.#drop(key);
      removed++;
    }
    return removed;
  }

  /** Clears away what is over, `SWEEP_SLICE` items at each step. */
  *sweep(): Generator<void> {
    this.#sweptMs = this.#clock.now();
    let looked = 0;
    for (const [key, { endMs }] of this.#items) {
      if (endMs <= this.#clock.now()) this.#drop(key);
      if (++looked % SWEEP_SLICE === 0) yield;
    }
  }

  #living(key: string): Item | null {
    const item = this.#items.get(key);
    if (item === undefined) return null;
    if (item.endMs > this.#clock.now()) return item;
    this.#drop(key);
    return null;
  }

  #drop(key: string): void {
    this.#bytes -= this.#items.get(key)?.bytes ?? 0;
    this.#items.delete(key);
  }

  /** Why there is no room, else null. */
  #refusal(before: Item | null, bytes: number): string | null {
    const full = this.#isFull(before, bytes);
    if (full === null || this.#clock.now() - this.#sweptMs < FULL_SWEEP_MS) return full;
    for (const _ of this.sweep());
    return this.#isFull(before, bytes);
  }

  #isFull(before: Item | null, bytes: number): string | null {
    const { name } = this.definition;
    if (before === null && this.#items.size >= this.#maxItems) {
      return `the table ${name} is full: it has ${this.#maxItems} items`;
    }
    const more = bytes - (before?.bytes ?? 0);
    if (more > 0 && this.#bytes + more > this.#maxBytes) {
      return `the table ${name} is full: its items take ${this.#maxBytes} bytes`;
    }
    return null;
  }

  /** Kamailio: a new item, and with `updateexpire` any that is changed, has its whole lifetime before it. */
  #endAfterChange(before: Item | null): number {
    const { autoexpireS, updateexpire } = this.definition;
    if (before !== null && (!updateexpire || autoexpireS === 0)) return before.endMs;
    return autoexpireS === 0 ? NEVER : this.#clock.now() + autoexpireS * 1000;
  }
}

function bytesOf(value: TableValue): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 8;
}
