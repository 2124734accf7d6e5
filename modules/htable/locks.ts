import type { Clock, Timer } from '../../core/index.ts';

/** Handlers that may wait for one key; one more is refused at once. */
export const MAX_WAITING = 1000;

interface Waiting {
  readonly owner: object;
  readonly granted: (granted: boolean) => void;
  readonly timer: Timer;
}

interface Held {
  owner: object;
  /** How often its owner has locked it. */
  depth: number;
  timer: Timer;
  readonly waiting: Waiting[];
}

export interface LocksOptions {
  readonly clock: Clock;
  /** Longest wait for a lock, ms. */
  readonly waitMs: number;
  /** Longest time that a lock is held, ms. */
  readonly heldMs: number;
  /** Told of a lock that was held for too long. */
  readonly onOverdue: (name: string) => void;
}

/**
 * Locks by name, each owned by one run of a handler, which may take it again. Neither waiting nor holding goes on for ever: two handlers that
 * wait for each other's lock both go on, and a handler that never gives its own back loses it.
 */
export class Locks {
  readonly #options: LocksOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: LocksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Resolves to true when `owner` has the lock, and to false when it could not be had in time. */
  lock(name: string, owner: object): Promise<boolean> {
    const held = this.#held.get(name);
    if (held === undefined) {
      this.#held.set(name, { owner, depth: 1, timer: this.#holdTimer(name), waiting: [] });
      return Promise.resolve(true);
    }
    if (held.owner === owner) {
      held.depth++;
      return Promise.resolve(true);
    }
    if (held.waiting.length >= MAX_WAITING) return Promise.resolve(false);
    return new Promise((granted) => {
      const waiting: Waiting = {
        owner,
        granted,
        timer: this.#options.clock.setTimer(this.#options.waitMs, () => {
          held.waiting.splice(held.waiting.indexOf(waiting), 1);
          granted(false);
        }),
      };
      held.waiting.push(waiting);
    });
  }

  /** Gives a lock back. False when `owner` does not have it. */
  unlock(name: string, owner: object): boolean {
    const held = this.#held.get(name);
    if (held === undefined || held.owner !== owner) return false;
    if (--held.depth === 0) this.#passOn(name, held);
    return true;
  }

  /** Ends all waiting. */
  stop(): void {
    for (const { timer, waiting } of this.#held.values()) {
      timer.cancel();
      for (const each of waiting) {
        each.timer.cancel();
        each.granted(false);
      }
    }
    this.#held.clear();
  }

  #passOn(name: string, held: Held): void {
    held.timer.cancel();
    const next = held.waiting.shift();
    if (next === undefined) {
      this.#held.delete(name);
      return;
    }
    next.timer.cancel();
    held.owner = next.owner;
    held.depth = 1;
    held.timer = this.#holdTimer(name);
    next.granted(true);
  }

  #holdTimer(name: string): Timer {
    return this.#options.clock.setTimer(this.#options.heldMs, () => {
      const held = this.#held.get(name);
      if (held === undefined) return;
      this.#options.onOverdue(name);
      this.#passOn(name, held);
    });
  }
}
