import { flatText } from '../../core/index.ts';
import { emptySlots } from './empty-slots.ts';

interface Entry {
  /** A branch parameter that `newId` gave, or one that begins with it and a dot. */
  readonly id: string;
}

/** Slots of an empty table; a power of two, as all sizes are. */
const FIRST_SLOTS = 256;
const ZERO = 0x30;

/**
 * Branches by their branch parameter, which has a number in it: it names the slot of the table where the branch stands. Nothing is hashed, and a response reads
 * one slot and its branch.
 */
export class BranchTable<T extends Entry> {
  /** What all branch parameters begin with. */
  readonly prefix: string;
  #slots: (T | null)[] = emptySlots(FIRST_SLOTS);
  /** Those whose slot another one has taken between `newId` and `add`. */
  readonly #others = new Map<string, T>();
  #inSlots = 0;
  #last = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get size(): number {
    return this.#inSlots + this.#others.size;
  }

  /** A branch parameter that no other request ever gets (RFC 3261 8.1.1.7). */
  newId(): string {
    const mask = this.#slots.length - 1;
    // Half of the slots are free.
    do this.#last += 1;
    while (this.#slots[this.#last & mask] !== null);
    return flatText(`${this.prefix}${this.#last}`);
  }

  find(id: string): T | null {
    const slot = this.#slotOf(id);
    if (slot < 0) return null;
    const entry = this.#slots[slot]!;
    if (entry !== null && entry.id === id) return entry;
    return this.#others.size === 0 ? null : (this.#others.get(id) ?? null);
  }

  add(entry: T): void {
    if (this.#inSlots * 2 >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(entry.id);
    const there = this.#slots[slot];
    if (there !== null) return void this.#others.set(entry.id, entry);
    this.#slots[slot] = entry;
    this.#inSlots += 1;
  }

  remove(entry: T): void {
    const slot = this.#slotOf(entry.id);
    if (this.#slots[slot] !== entry) return void this.#others.delete(entry.id);
    this.#slots[slot] = null;
    this.#inSlots -= 1;
  }

  /** Puts another with the same branch parameter in the place of one, if that is here. */
  replace(entry: T, by: T): void {
    const slot = this.#slotOf(entry.id);
    if (this.#slots[slot] === entry) this.#slots[slot] = by;
    else if (this.#others.get(entry.id) === entry) this.#others.set(entry.id, by);
  }

  values(): T[] {
    return [...this.#slots.filter((entry) => entry !== null), ...this.#others.values()];
  }

  clear(): void {
    this.#slots = emptySlots(FIRST_SLOTS);
    this.#others.clear();
    this.#inSlots = 0;
  }

  /** The slot that the number in a branch parameter names; -1: it is none of ours. */
  #slotOf(id: string): number {
    const start = this.prefix.length;
    if (!id.startsWith(this.prefix)) return -1;
    // Numbers above 2**32 name the same slots as what is left of them by 2**32.
    let number = 0;
    for (let i = start; i < id.length; i++) {
      const digit = id.charCodeAt(i) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = (Math.imul(number, 10) + digit) | 0;
    }
    return number & (this.#slots.length - 1);
  }

  /** Numbers that had slots of their own have them in twice as many too. */
  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(before.length * 2);
    for (const entry of before) if (entry !== null) this.#slots[this.#slotOf(entry.id)] = entry;
  }
}
