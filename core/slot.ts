/** What values can be kept with: a request, or the AVPs of a transaction. */
export interface SlotOwner {
  slots: unknown[] | null;
}

let count = 0;

/**
 * A place for one value with each owner, which lives as long as the owner does. Like a WeakMap from owners to values, at the price of an array's
 * element and without work for the garbage collector. To be made once, as a constant of a module: there are as many places in
 * an owner as there are slots.
 */
export class Slot<Owner extends SlotOwner, Value> {
  readonly #index = count++;

  get(owner: Owner): Value | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `set` of this slot writes there
    return owner.slots?.[this.#index] as Value | undefined;
  }

  set(owner: Owner, value: Value): void {
    owner.slots ??= [];
    owner.slots[this.#index] = value;
  }
}
