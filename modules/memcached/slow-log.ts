import type { Clock, Logger } from '../../core/index.ts';

/** Slow operations that are logged in one second; of the others only the number is told. */
export const MAX_SLOW_LINES_PER_S = 5;

/** Chars of a key that are shown. */
const KEY_CHARS = 40;

const SECOND_MS = 1_000;

/** An operation that has ended. */
interface Ended {
  readonly operation: string;
  readonly server: string;
  /** Key on the wire. */
  readonly key: string;
  readonly ms: number;
}

/** Logs operations that took long, a bounded number in each second. */
export class SlowLog {
  /** From how long on an operation is slow, ms. */
  readonly thresholdMs: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  #secondEndsMs = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(thresholdMs: number, clock: Clock, log: Logger) {
    this.thresholdMs = thresholdMs;
    this.#clock = clock;
    this.#log = log;
  }

  /** Logs an operation that was slow. */
  note({ operation, server, key, ms }: Ended): void {
    const now = this.#clock.now();
    if (now >= this.#secondEndsMs) {
      this.#secondEndsMs = now + SECOND_MS;
      this.#lines = 0;
    }
    if (this.#lines === MAX_SLOW_LINES_PER_S) {
      this.#suppressed += 1;
      return;
    }
    this.#lines += 1;
    const more = this.#suppressed === 0 ? '' : `; ${this.#suppressed} before it were not logged`;
    this.#suppressed = 0;
    this.#log.warn(`slow memcached operation${more}`, {
      operation,
      server,
      ms: Math.round(ms),
      key: key.length > KEY_CHARS ? `${key.slice(0, KEY_CHARS)}...` : key,
    });
  }
}
