import { LATEST_END_MS, MAX_FORKS } from './lease-set.ts';

/** Leases that one process remembers over all limits; beyond it the longest unused limit is forgotten. */
const MAX_HELD_LEASES = 100_000;

/** A lease that this process was granted, or granted by itself while the store was down. */
export interface HeldLease {
  endMs: number;
  /** Generation of the stored value that is known to have held it; empty: none yet. */
  generation: string;
  /** The forks of the call that hold it here. */
  readonly forks: readonly string[];
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
    for (const [id, lease] of leases) {
      if (lease.endMs <= nowMs) this.delete(limit, id);
      // This clock was ahead, and has been put right.
      else lease.endMs = Math.min(lease.endMs, nowMs + LATEST_END_MS);
    }
    return leases;
  }

  /** Whether one fork of a call has a lease. */
  hasFork(limit: string, id: string, fork: string): boolean {
    return this.#limits.get(limit)?.get(id)?.forks.includes(fork) ?? false;
  }

  /** Remembers a lease, for these forks as well as those that have it already. */
  put(limit: string, id: string, lease: HeldLease): void {
    const leases = this.#limits.get(limit) ?? new Map<string, HeldLease>();
    const before = leases.get(id);
    if (before === undefined) this.#size++;
    const forks = before === undefined ? lease.forks : [...new Set([...before.forks, ...lease.forks])];
    leases.set(id, { ...lease, forks: forks.slice(-MAX_FORKS) });
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

  /** Forgets one fork of a call, and with the last one its lease. */
  deleteFork(limit: string, id: string, fork: string): void {
    const lease = this.#limits.get(limit)?.get(id);
    if (lease === undefined) return;
    const forks = lease.forks.filter((each) => each !== fork);
    if (forks.length === 0) this.delete(limit, id);
    else this.#limits.get(limit)?.set(id, { ...lease, forks });
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
