import type { Clock, Timer } from '../clock.ts';

interface PendingTimer {
  readonly due: number;
  readonly fire: () => void;
}

/** A clock that stands still until a test moves it. Timers due at the same time fire in the order in which they were set. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<PendingTimer>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer: PendingTimer = { due: this.#now + Math.max(0, delayMs), fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  setTimerFor<T extends object>(owner: T, delayMs: number, fire: (owner: T) => void): Timer {
    return this.setTimer(delayMs, () => fire(owner));
  }

  /** When the next timer falls due, ms; null when none is set. */
  nextDue(): number | null {
    return this.#earliest(Number.POSITIVE_INFINITY)?.due ?? null;
  }

  /** Moves time on by `ms`; fires what falls due on the way, each at its own time, timers set by those included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#earliest(end); timer !== null; timer = this.#earliest(end)) {
      this.#timers.delete(timer);
      this.#now = timer.due;
      timer.fire();
    }
    this.#now = end;
  }

  /** The timer to fire next among those due by `end`, or null. */
  #earliest(end: number): PendingTimer | null {
    let found: PendingTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.due <= end && (found === null || timer.due < found.due)) found = timer;
    }
    return found;
  }
}
