import type { Clock, Timer } from '../../../core/index.ts';

/** How often a limit in which this process has leases is looked at, ms. */
export const SWEEP_MS = 10_000;
/** In how many parts, so that the server is not asked for all limits at once. */
const PARTS = 10;

/** Looks at limits again and again, at each about once in `SWEEP_MS`. */
export class HeldSweep {
  readonly #clock: Clock;
  readonly #limits: () => readonly string[];
  readonly #look: (limit: string) => void;
  /** Those that this round has not come to yet, and how many of them are looked at together. */
  #left: string[] = [];
  #part = 0;
  #timer: Timer;

  constructor(clock: Clock, limits: () => readonly string[], look: (limit: string) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#look = look;
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #next(): Timer {
    return this.#clock.setTimer(SWEEP_MS / PARTS, () => {
      this.#timer = this.#next();
      this.#run();
    });
  }

  #run(): void {
    if (this.#left.length === 0) {
      this.#left = [...this.#limits()];
      this.#part = Math.ceil(this.#left.length / PARTS);
    }
    for (const limit of this.#left.splice(0, this.#part)) this.#look(limit);
  }
}
