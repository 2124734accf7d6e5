import type { Clock, Logger, Timer } from '../../core/index.ts';

/** First wait before what was kept is sent again though the server answers, ms; it doubles with each that does not help. */
export const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 32_000;

/** Plain counters of the releases of one server that were not answered. */
export interface JournalStatistics {
  /** Releases that wait now for the server to answer again. */
  readonly waiting: number;
  /** Releases that were sent again. */
  readonly replayed: number;
  /** Releases that were lost, since the journal was full. */
  readonly overflowed: number;
  /** Releases that were sent and not answered: decrements, which would be wrong twice, and deletes that were not answered time and again. */
  readonly inDoubt: number;
}

export interface JournalOptions {
  /** Releases that it takes. */
  readonly limit: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of the server. */
  readonly server: string;
  /** Whether the server answers, as far as is known. */
  readonly isUp: () => boolean;
}

/**
 * Releases that a server has not taken, oldest first, within a bound. They are sent when it answers again; where it answered all along and took them not, as
 * when its memory is full, after a wait.
 */
export class Journal {
  readonly #options: JournalOptions;
  #entries: (() => void)[] = [];
  #replayed = 0;
  #overflowed = 0;
  #inDoubt = 0;
  /** Whether the overflow of this outage has been logged. */
  #warned = false;
  #retry: Timer | null = null;
  #retryMs = RETRY_MIN_MS;
  #retriedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: JournalOptions) {
    this.#options = options;
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
    const { limit, log, server, isUp } = this.#options;
    if (this.#entries.length < limit) {
      this.#entries.push(send);
      if (isUp()) this.#retryLater();
      return true;
    }
    this.#overflowed++;
    if (!this.#warned && limit > 0) {
      this.#warned = true;
      log.warn(
        `memcached ${server}: the journal is full with ${limit} releases; further ones are lost until it takes them`,
      );
    }
    return false;
  }

  /** Counts a release that may have been carried out, and is not sent again. */
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
    const { log, server } = this.#options;
    log.notice(`memcached ${server}: sending ${entries.length} releases that were kept`);
    for (const send of entries) send();
  }

  /** Sends nothing more by itself. */
  stop(): void {
    this.#retry?.cancel();
    this.#retry = null;
  }

  #retryLater(): void {
    if (this.#retry !== null) return;
    const { clock, isUp } = this.#options;
    if (clock.now() - this.#retriedAtMs > 2 * RETRY_MAX_MS) this.#retryMs = RETRY_MIN_MS;
    this.#retry = clock.setTimer(this.#retryMs, () => {
      this.#retry = null;
      this.#retriedAtMs = clock.now();
      // Otherwise its return sends them.
      if (isUp()) this.replay();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
