/** Memory of the embedded store, bytes (memcached -m, 64 MB). */
const STORE_BYTES = 67_108_864;

/** Largest item, bytes, counted as memcached counts it (memcached -I, 1m). */
const MAX_ITEM_BYTES = 1_048_576;

/** What an item takes besides key, value and flags, as in memcached 1.6. */
const ITEM_OVERHEAD_BYTES = 59;
const FLAGS_BYTES = 4;

/** Lifetimes up to here, s, count from now; larger ones are a Unix time (memcached, REALTIME_MAXDELTA). */
const MAX_RELATIVE_S = 2_592_000;

/** How long before its start a server's time begins, s (memcached, process_started: ITEM_UPDATE_INTERVAL + 2). */
const BEFORE_START_S = 62;

/** What one key holds. `bytes` has one char a byte. */
export interface Item {
  flags: number;
  /** When it goes, ms of Unix time; infinite: never. */
  expiresAtMs: number;
  bytes: string;
  cas: bigint;
}

/** Values by key, least recently used first, within a number of bytes. */
export class ItemStore {
  readonly #items = new Map<string, Item>();
  readonly #limit: number;
  readonly #nowMs: () => number;
  readonly #firstS: number;
  #bytes = 0;
  #cas = 0n;
  #flushAtMs = Number.POSITIVE_INFINITY;
  evictions = 0;

  constructor(nowMs: () => number = Date.now, limit: number = STORE_BYTES) {
    this.#nowMs = nowMs;
    this.#limit = limit;
    this.#firstS = wholeSeconds(nowMs()) - BEFORE_START_S;
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get limit(): number {
    return this.#limit;
  }

  /** The item, as the most recently used one; undefined when it is not there or has expired. */
  get(key: string): Item | undefined {
    const nowMs = this.#nowMs();
    this.#flushIfDue(nowMs);
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    this.#items.delete(key);
    if (item.expiresAtMs <= nowMs) {
      this.#bytes -= itemBytes(key, item.flags, item.bytes.length);
      return undefined;
    }
    this.#items.set(key, item);
    return item;
  }

  /** Stores a value in place of any other; the least recently used ones make room. */
  set(key: string, flags: number, lifetimeS: number, bytes: string): void {
    this.#put(key, { flags, expiresAtMs: this.expiryOf(lifetimeS), bytes, cas: ++this.#cas });
  }

  /** Replaces the bytes of an item that is there. */
  change(key: string, item: Item, bytes: string): void {
    this.#put(key, { ...item, bytes, cas: ++this.#cas });
  }

  delete(key: string): boolean {
    const item = this.get(key);
    if (item === undefined) return false;
    this.#items.delete(key);
    this.#bytes -= itemBytes(key, item.flags, item.bytes.length);
    return true;
  }

  /**
   * Drops everything, at once or within a second of time: the one before such a lifetime would end. What is stored in that second goes as
   * well. A Unix time from before the server's time began drops nothing. As memcached 1.6.18 does (process_flush_all_command).
   */
  flush(delayS: number): void {
    this.#flushAtMs = Number.POSITIVE_INFINITY;
    if (delayS <= 0) {
      this.#clear();
      return;
    }
    const endS = delayS > MAX_RELATIVE_S ? delayS : wholeSeconds(this.#nowMs()) + delayS;
    if (endS - 1 > this.#firstS) this.#flushAtMs = (endS - 1) * 1000;
  }

  /** When a value stored now with this lifetime goes, ms of Unix time. Negative: at once. */
  expiryOf(lifetimeS: number): number {
    if (lifetimeS === 0) return Number.POSITIVE_INFINITY;
    if (lifetimeS < 0) return 0;
    return lifetimeS > MAX_RELATIVE_S ? lifetimeS * 1000 : this.#nowMs() + lifetimeS * 1000;
  }

  #flushIfDue(nowMs: number): void {
    if (nowMs < this.#flushAtMs) return;
    this.#clear();
    if (nowMs >= this.#flushAtMs + 1000) this.#flushAtMs = Number.POSITIVE_INFINITY;
  }

  #clear(): void {
    this.#items.clear();
    this.#bytes = 0;
  }

  #put(key: string, item: Item): void {
    this.delete(key);
    this.#items.set(key, item);
    this.#bytes += itemBytes(key, item.flags, item.bytes.length);
    for (const [oldest, { flags, bytes }] of this.#items) {
      if (this.#bytes <= this.#limit) return;
      this.#items.delete(oldest);
      this.#bytes -= itemBytes(oldest, flags, bytes.length);
      this.evictions++;
    }
  }
}

/** Whether an item of these sizes is larger than any may be. */
export function isTooLarge(key: string, flags: number, valueBytes: number): boolean {
  return itemBytes(key, flags, valueBytes) > MAX_ITEM_BYTES;
}

function itemBytes(key: string, flags: number, valueBytes: number): number {
  return ITEM_OVERHEAD_BYTES + key.length + valueBytes + (flags === 0 ? 0 : FLAGS_BYTES);
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
