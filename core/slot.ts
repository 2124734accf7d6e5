/** What values can be kept with: a request, or the AVPs of a transaction. */
export interface SlotOwner {
  slots: unknown[] | null;
}

/** One place for each slot: what an owner's array begins as, so that it is as long as it has to be. */
const places: undefined[] = [];

/**
 * A place for one value with each owner, which lives as long as the owner does. Like a WeakMap from owners to values, at the price of an array's
 * element and without work for the garbage collector. To be made once, as a constant of a module: there are as many places in
 * an owner as there are slots.
 */
export class Slot<Owner extends SlotOwner, Value> {
  readonly #index = places.push(undefined) - 1;

  get(owner: Owner): Value | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `set` of this slot writes there
    return owner.slots?.[this.#index] as Value | undefined;
  }

  set(owner: Owner, value: Value): void {
    owner.slots ??= places.slice();
    owner.slots[this.#index] = value;
  }
}
