import type { Clock, Timer } from '../../../core/index.ts';

/** Shortest time between two runs, ms: a server that hangs up after each answer is not asked all the time. */
export const REPUBLISH_MIN_MS = 1000;

/** Runs something at once when asked to, but not more often than every so many ms. */
export class RepublishTimer {
  readonly #clock: Clock;
  readonly #run: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  request(): void {
    if (this.#timer !== null) return;
    const waitMs = this.#lastMs + REPUBLISH_MIN_MS - this.#clock.now();
    if (waitMs <= 0) this.#fire();
    else this.#timer = this.#clock.setTimer(waitMs, () => this.#fire());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #fire(): void {
    this.#timer = null;
    this.#lastMs = this.#clock.now();
    this.#run();
  }
}
