/** Leases that one process remembers over all limits; beyond it the longest unused limit is forgotten. */
const MAX_HELD_LEASES = 100_000;

/** A lease that this process was granted, or granted by itself while the store was down. */
export interface HeldLease {
  endMs: number;
  /** Generation of the stored value that is known to have held it; empty: none yet. */
  generation: string;
}

/** What this process knows of its own leases: to put them back when the store has lost them, and to count by while it is down. */
export class HeldLeases {
  readonly #limits = new Map<string, Map<string, HeldLease>>();
  readonly #bound: number;
  #size = 0;

  constructor(bound: number = MAX_HELD_LEASES) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#size;
  }

  /** The limits that have leases. */
  keys(): string[] {
    return [...this.#limits.keys()];
  }

  has(limit: string, id: string): boolean {
    return this.#limits.get(limit)?.has(id) ?? false;
  }

  /** The leases of a limit that have not ended by `nowMs`; those that have are forgotten. */
  living(limit: string, nowMs: number): ReadonlyMap<string, HeldLease> {
    const leases = this.#limits.get(limit);
    if (leases === undefined) return new Map();
    for (const [id, { endMs }] of leases) if (endMs <= nowMs) this.delete(limit, id);
    return leases;
  }

  put(limit: string, id: string, lease: HeldLease): void {
    const leases = this.#limits.get(limit) ?? new Map<string, HeldLease>();
    if (!leases.has(id)) this.#size++;
    leases.set(id, lease);
    this.#limits.delete(limit);
    this.#limits.set(limit, leases);
    while (this.#size > this.#bound) this.#forgetOne();
  }

  delete(limit: string, id: string): void {
    const leases = this.#limits.get(limit);
    if (leases === undefined || !leases.delete(id)) return;
    this.#size--;
    if (leases.size === 0) this.#limits.delete(limit);
  }

  #forgetOne(): void {
    for (const [limit, leases] of this.#limits) {
      for (const id of leases.keys()) {
        this.delete(limit, id);
        return;
      }
    }
  }
}
