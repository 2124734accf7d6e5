import type { Clock, Logger } from '../../../core/index.ts';
import type { CacheClient } from '../client.ts';
import { newLimitCounters } from './decisions.ts';
import { Forks } from './forks.ts';
import { LeaseTable } from './lease-table.ts';
import { Leases } from './leases.ts';
import { Rates } from './rate.ts';
import { Memory } from './remember.ts';

export interface LimitsOptions {
  readonly client: CacheClient;
  readonly clock: Clock;
  /** Unix time, ms; the system's. */
  readonly nowMs?: () => number;
  readonly randomToken: (length: number) => string;
  readonly log: Logger;
}

/** What limits calls, on one client. */
export class Limits {
  readonly forks: Forks;
  readonly leases: Leases;
  readonly rates: Rates;
  readonly memory: Memory;
  readonly counters = newLimitCounters();
  readonly #table: LeaseTable;

  constructor(options: LimitsOptions) {
    this.#table = new LeaseTable(options);
    this.forks = new Forks(options.randomToken);
    this.leases = new Leases(this.#table, this.counters, options.clock);
    this.rates = new Rates({ ...options, decisions: this.counters.rate });
    this.memory = new Memory(options);
  }

  /** Leases that this process holds. */
  get held(): number {
    return this.#table.held.size;
  }

  stop(): void {
    this.#table.stop();
  }
}
