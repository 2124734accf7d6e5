import type { Logger } from '../../core/index.ts';

/** Plain counters of the releases of one server that were not answered. */
export interface JournalStatistics {
  /** Releases that wait now for the server to answer again. */
  readonly waiting: number;
  /** Releases that were sent again. */
  readonly replayed: number;
  /** Releases that were lost, since the journal was full. */
  readonly overflowed: number;
  /** Decrements that were sent and not answered: whether they count is not known, and twice would be wrong. */
  readonly inDoubt: number;
}

/** Releases that a server has not taken, oldest first, within a bound; they are sent when it answers again. */
export class Journal {
  readonly #limit: number;
  readonly #server: string;
  readonly #log: Logger;
  #entries: (() => void)[] = [];
  #replayed = 0;
  #overflowed = 0;
  #inDoubt = 0;
  /** Whether the overflow of this outage has been logged. */
  #warned = false;

  constructor(limit: number, server: string, log: Logger) {
    this.#limit = limit;
    this.#server = server;
    this.#log = log;
  }

  get length(): number {
    return this.#entries.length;
  }

  get statistics(): JournalStatistics {
    return {
      waiting: this.#entries.length,
      replayed: this.#replayed,
      overflowed: this.#overflowed,
      inDoubt: this.#inDoubt,
    };
  }

  /** Keeps a release; `send` sends it again. False when there is no room: it is lost, counted, and logged once an outage. */
  keep(send: () => void): boolean {
    if (this.#entries.length < this.#limit) {
      this.#entries.push(send);
      return true;
    }
    this.#overflowed++;
    if (!this.#warned && this.#limit > 0) {
      this.#warned = true;
      this.#log.warn(
        `memcached ${this.#server}: the journal is full with ${this.#limit} releases; further ones are lost until it answers`,
      );
    }
    return false;
  }

  /** Counts a release that may have been carried out, and would be wrong if it were twice. */
  doubt(): void {
    this.#inDoubt++;
  }

  /** Sends all that was kept, in order; what fails again is kept again. */
  replay(): void {
    this.#warned = false;
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#replayed += entries.length;
    this.#log.notice(`memcached ${this.#server}: sending ${entries.length} releases that were kept`);
    for (const send of entries) send();
  }
}
