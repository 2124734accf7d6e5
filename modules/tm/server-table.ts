import type { SipRequest } from '../../core/index.ts';
import { emptySlots } from './empty-slots.ts';
import { serverKey } from './matching.ts';

/** What a server transaction is found by. */
interface Entry {
  /** `serverHash` of its request. */
  readonly hash: number;
  /** `serverKey` of its request. */
  readonly key: string;
}

/** Slots of an empty table; a power of two, as all sizes are. */
const FIRST_SLOTS = 256;
/** Of a slot that holds nothing; no hash is it. */
const EMPTY = 0;

/**
 * Server transactions by what requests are matched by. A table of its own, because a Map reads the text of each key that it passes, and of tens of thousands of
 * them none is in the processor's caches: here a request that belongs to none, as most do, costs its hash and one look into an array of numbers.
 */
export class ServerTable<T extends Entry> {
  // Open addressing: an entry stands in the slot that its hash names, or in the next that was free. At most half of the slots are in use.
  #hashes = new Int32Array(FIRST_SLOTS);
  #entries: (T | null)[] = emptySlots(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that the request belongs to, taken as one of `method`; null: none is here. `hash` is its `serverHash`. */
  find(hash: number, request: SipRequest, method: string = request.method): T | null {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let key: string | null = null;
    for (let slot = hash & mask; hashes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (hashes[slot] !== hash) continue;
      key ??= serverKey(request, method);
      const entry = this.#entries[slot]!;
      if (entry.key === key) return entry;
    }
    return null;
  }

  /** Takes one whose key is not here yet. */
  add(entry: T): void {
    if (this.#size * 2 >= this.#hashes.length) this.#grow();
    this.#put(entry);
    this.#size += 1;
  }

  /** Returns whether it was there. */
  remove(entry: T): boolean {
    const hashes = this.#hashes;
    const entries = this.#entries;
    const mask = hashes.length - 1;
    let free = this.#slotOf(entry);
    if (free < 0) return false;
    // Those behind it move up where that brings them no further than their own slot, so that no search stops before them.
    for (let slot = (free + 1) & mask; hashes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const own = hashes[slot]! & mask;
      if (((slot - own) & mask) < ((slot - free) & mask)) continue;
      hashes[free] = hashes[slot]!;
      entries[free] = entries[slot]!;
      free = slot;
    }
    hashes[free] = EMPTY;
    entries[free] = null;
    this.#size -= 1;
    return true;
  }

  /** Puts another with the same hash and key in the place of one, if that is here. */
  replace(entry: T, by: T): void {
    const slot = this.#slotOf(entry);
    if (slot >= 0) this.#entries[slot] = by;
  }

  values(): T[] {
    return this.#entries.filter((entry) => entry !== null);
  }

  clear(): void {
    this.#hashes = new Int32Array(FIRST_SLOTS);
    this.#entries = emptySlots(FIRST_SLOTS);
    this.#size = 0;
  }

  /** The slot where an entry stands; -1: it is not here. */
  #slotOf(entry: T): number {
    const hashes = this.#hashes;
    const entries = this.#entries;
    const mask = hashes.length - 1;
    let slot = entry.hash & mask;
    for (; entries[slot] !== entry; slot = (slot + 1) & mask) if (hashes[slot] === EMPTY) return -1;
    return slot;
  }

  #put(entry: T): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let slot = entry.hash & mask;
    while (hashes[slot] !== EMPTY) slot = (slot + 1) & mask;
    hashes[slot] = entry.hash;
    this.#entries[slot] = entry;
  }

  #grow(): void {
    const before = this.#entries;
    this.#hashes = new Int32Array(before.length * 2);
    this.#entries = emptySlots(before.length * 2);
    for (const entry of before) if (entry !== null) this.#put(entry);
  }
}
