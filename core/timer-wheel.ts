import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';

/** Length of a tick, ms: a timer fires up to this much late, and never early. */
const TICK_MS = 10;
/** Slots of the wheel, a power of two. One turn is 40.96 s: longer than 64*T1, so that most SIP timers need one round only. */
const SLOTS = 4_096;
const SLOT_MASK = SLOTS - 1;

/** What a wheel turns by. */
export type TimeSource = Pick<Clock, 'now' | 'setTimer'>;

/** The process's own time. */
const systemClock: TimeSource = {
  now: () => performance.now(),
  setTimer(delayMs, fire) {
    const timeout = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

function nothing(): void {}

function call(fire: () => void): void {
  fire();
}

/** A timer as a link of a ring; the head of a ring is one too, which never fires. A link that stands alone links to itself. */
class WheelTimer implements Timer {
  previous: WheelTimer = this;
  next: WheelTimer = this;
  /** Number of the tick to fire at, counted from the wheel's start. */
  readonly tick: number;
  readonly #owner: object;
  readonly #fire: (owner: never) => void;
  readonly #removed: () => void;

  constructor(tick: number, owner: object, fire: (owner: never) => void, removed: () => void) {
    this.tick = tick;
    this.#owner = owner;
    this.#fire = fire;
    this.#removed = removed;
  }

  fire(): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `setTimerFor` took both as a pair
    this.#fire(this.#owner as never);
  }

  cancel(): void {
    if (this.next === this) return;
    this.unlink();
    this.#removed();
  }

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }

  /** Puts `timer`, which stands in no ring, at the end of this head's ring. */
  append(timer: WheelTimer): void {
    const last = this.previous;
    timer.previous = last;
    timer.next = this;
    last.next = timer;
    this.previous = timer;
  }
}

function newRing(): WheelTimer {
  return new WheelTimer(0, nothing, nothing, nothing);
}

export interface TimerWheelOptions {
  /** Told what a timer's callback threw; must not throw itself. */
  readonly onError: (error: unknown) => void;
  /** Where time comes from and what wakes the wheel. Default: the process's own. */
  readonly source?: TimeSource;
}

/**
 * Many timers on one of another clock's: a hashed timing wheel. Setting and cancelling cost the same however many are set.
 *
 * Timers fire in the order of the 10 ms ticks at which they are due, and within a tick in the order in which they were set; so they do
 * after the event loop stood still. The wheel wakes for ticks that have timers only, and holds the process while it has any.
 */
export class TimerWheel implements Clock {
  readonly #source: TimeSource;
  readonly #onError: (error: unknown) => void;
  readonly #startMs: number;
  readonly #slots: readonly WheelTimer[] = Array.from({ length: SLOTS }, newRing);
  /** Timers of the tick in hand that have yet to fire; one may still cancel another. */
  readonly #firing = newRing();
  /** The last tick that was dealt with, or is being dealt with. */
  #tick = 0;
  #pending = 0;
  #wake: Timer | null = null;
  /** The tick that `#wake` is set for. */
  #wakeTick = 0;
  #running = false;
  #closed = false;

  constructor({ onError, source = systemClock }: TimerWheelOptions) {
    this.#onError = onError;
    this.#source = source;
    this.#startMs = source.now();
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#source.now();
  }

  /** A delay that is not a positive number counts as 0: the timer fires at the next tick. After `close` it never fires. */
  setTimer(delayMs: number, fire: () => void): Timer {
    return this.setTimerFor(fire, delayMs, call);
  }

  setTimerFor<T extends object>(owner: T, delayMs: number, fire: (owner: T) => void): Timer {
    const delay = delayMs > 0 ? delayMs : 0;
    const due = Math.ceil((this.#source.now() - this.#startMs + delay) / TICK_MS);
    // A wheel without timers has no wake that moves its tick on.
    if (this.#pending === 0 && !this.#running) this.#tick = Math.max(this.#tick, this.#elapsedTicks());
    const timer = new WheelTimer(Math.max(due, this.#tick + 1), owner, fire, this.#removed);
    if (this.#closed) return timer;
    this.#slotOf(timer.tick).append(timer);
    this.#pending += 1;
    if (!this.#running && (this.#wake === null || timer.tick < this.#wakeTick)) this.#wakeAt(timer.tick);
    return timer;
  }

  /** Drops all timers, and any set from now on. */
  close(): void {
    this.#closed = true;
    for (const slot of this.#slots) while (slot.next !== slot) slot.next.unlink();
    while (this.#firing.next !== this.#firing) this.#firing.next.unlink();
    this.#pending = 0;
    this.#sleep();
  }

  readonly #removed = (): void => {
    this.#pending -= 1;
    if (this.#pending === 0) this.#sleep();
  };

  #elapsedTicks(): number {
    return Math.floor((this.#source.now() - this.#startMs) / TICK_MS);
  }

  #slotOf(tick: number): WheelTimer {
    return this.#slots[tick & SLOT_MASK]!;
  }

  readonly #run = (): void => {
    this.#wake = null;
    this.#running = true;
    const end = this.#elapsedTicks();
    while (this.#tick < end && this.#pending > 0) {
      this.#tick += 1;
      this.#fireTick();
    }
    this.#running = false;
    if (this.#pending > 0) this.#wakeAt(this.#nextOccupied());
  };

  #fireTick(): void {
    const slot = this.#slotOf(this.#tick);
    for (let timer = slot.next; timer !== slot; ) {
      const following = timer.next;
      // The others of this slot are due in a later turn.
      if (timer.tick <= this.#tick) {
        timer.unlink();
        this.#firing.append(timer);
      }
      timer = following;
    }
    while (this.#firing.next !== this.#firing) {
      const timer = this.#firing.next;
      timer.unlink();
      this.#pending -= 1;
      try {
        timer.fire();
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  /** The next tick whose slot holds a timer, though perhaps one of a later turn; there is one. */
  #nextOccupied(): number {
    let tick = this.#tick + 1;
    for (let slot = this.#slotOf(tick); slot.next === slot; slot = this.#slotOf(tick)) tick += 1;
    return tick;
  }

  /** Sleeps until `tick`, but for one turn at most: setTimeout takes no delay above 2^31 ms. */
  #wakeAt(tick: number): void {
    this.#wake?.cancel();
    this.#wakeTick = Math.min(tick, this.#tick + SLOTS);
    const delayMs = this.#startMs + this.#wakeTick * TICK_MS - this.#source.now();
    this.#wake = this.#source.setTimer(Math.max(0, Math.ceil(delayMs)), this.#run);
  }

  #sleep(): void {
    this.#wake?.cancel();
    this.#wake = null;
  }
}
