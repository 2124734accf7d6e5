import type { Clock } from '../../../core/index.ts';
import type { CacheClient } from '../client.ts';
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
}

/** What limits calls, on one client. */
export class Limits {
  readonly leases: Leases;
  readonly rates: Rates;
  readonly memory: Memory;
  readonly #table: LeaseTable;

  constructor(options: LimitsOptions) {
    this.#table = new LeaseTable(options);
    this.leases = new Leases(this.#table);
    this.rates = new Rates(options);
    this.memory = new Memory(options);
  }

  stop(): void {
    this.#table.stop();
  }
}
