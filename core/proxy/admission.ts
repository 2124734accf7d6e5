import type { Clock } from '../clock.ts';

/** How often it is looked how long messages wait, and the rate set anew, ms. */
export const WINDOW_MS = 100;

/** What the rate grows by in a window in which messages hardly waited, as a share of it. */
const GROWTH = 0.08;

/** Below this share of the longest wait messages hardly wait; from there on the proxy has all that it can carry. */
const HARDLY = 0.1;

/** What the rate is cut by when they waited too long, as a share of it; at first nobody knows how much is too much. */
const FIRST_CUT = 0.3;
const CUT = 0.2;

/** Windows until the next cut: those that were taken before still have later messages to come, and what waits takes its time. */
const SETTLING_WINDOWS = 5;

/** A probe that has been away for this many times the longest wait is lost. */
const LOST_AFTER = 4;

/** Requests a second that are taken however long messages wait: without any nothing would be learned. */
const LEAST_RATE = 50;

/** Windows with too long a wait, one after the other, before anything is turned away: a hiccup of the machine is no overload. */
const PATIENCE_WINDOWS = 3;

/** Has a message of its own arrive behind those that wait now, and calls back once it is read. */
export type Probe = (read: () => void) => void;

/**
 * Decides how many requests that begin something new the proxy takes, so that those it has taken are served in time: near its limit every further
 * one costs more in retransmissions than it brings. As long as messages are read soon after they arrived, all are taken. Otherwise they are taken at a
 * rate that follows the wait: cut while it is too long, raised step by step while it is not.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #maxWaitMs: number;
  /** Requests a second that are taken; Infinity: all. */
  #rate = Number.POSITIVE_INFINITY;
  #windowStart: number;
  #offered = 0;
  #taken = 0;
  /** Requests that may be taken at this moment, and when they were reckoned. */
  #tokens = 0;
  #tokensAt: number;
  #slowWindows = 0;
  /** The wait before the one in hand, ms. */
  #previousMs = 0;
  /** Windows before the rate may be cut again. */
  #settling = 0;
  /** When the probe that is under way was sent; null: none is. */
  #probedAt: number | null = null;
  /** The wait that a probe has met in this window, ms; null: none has come back. */
  #waitedMs: number | null = null;

  /** `maxWaitMs`: how long messages may wait to be read; 0: as long as they like. */
  constructor({ clock, probe, maxWaitMs }: { clock: Clock; probe: Probe; maxWaitMs: number }) {
    this.#clock = clock;
    this.#probe = probe;
    this.#maxWaitMs = maxWaitMs;
    this.#windowStart = this.#tokensAt = clock.now();
  }

  /** New requests a second that are taken now; Infinity as long as none is turned away. */
  get rate(): number {
    return this.#rate;
  }

  /** Whether to take one more new request. */
  admit(): boolean {
    if (this.#maxWaitMs === 0) return true;
    const now = this.#clock.now();
    if (now - this.#windowStart >= WINDOW_MS) this.#startWindow(now);
    this.#offered += 1;
    if (this.#rate !== Number.POSITIVE_INFINITY && !this.#spendToken(now)) return false;
    this.#taken += 1;
    return true;
  }

  #spendToken(now: number): boolean {
    const most = Math.max(1, (this.#rate * WINDOW_MS) / 1000);
    this.#tokens = Math.min(most, this.#tokens + (this.#rate * (now - this.#tokensAt)) / 1000);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #startWindow(now: number): void {
    const waitedMs = this.#waitedMs;
    // A probe that is not back has waited this long at least; one that was lost never comes back.
    const awayMs = this.#probedAt === null ? 0 : now - this.#probedAt;
    const isAway = awayMs > Math.max(this.#maxWaitMs, this.#previousMs);
    if (isAway || (waitedMs !== null && waitedMs > this.#maxWaitMs)) {
      const isFalling = !isAway && waitedMs !== null && waitedMs < this.#previousMs;
      this.#tooSlow((1000 * this.#taken) / (now - this.#windowStart), isFalling);
    } else if (waitedMs !== null) this.#fastEnough(waitedMs);
    this.#previousMs = waitedMs ?? this.#previousMs;
    if (this.#settling > 0) this.#settling -= 1;
    this.#windowStart = now;
    this.#offered = this.#taken = 0;
    this.#waitedMs = null;
    this.#sendProbe(now);
  }

  #fastEnough(waitedMs: number): void {
    this.#slowWindows = 0;
    if (waitedMs > HARDLY * this.#maxWaitMs) return;
    this.#rate = this.#taken === this.#offered ? Number.POSITIVE_INFINITY : this.#rate * (1 + GROWTH);
  }

  /** `isFalling`: the wait is shorter than before, so what waits is being worked off. */
  #tooSlow(takenPerSecond: number, isFalling: boolean): void {
    this.#slowWindows += 1;
    const isLimited = this.#rate !== Number.POSITIVE_INFINITY;
    if (this.#settling > 0 || (!isLimited && this.#slowWindows < PATIENCE_WINDOWS)) return;
    if (isFalling) return;
    if (!isLimited) this.#tokens = 0;
    this.#rate = Math.max(
      LEAST_RATE,
      Math.min(this.#rate, takenPerSecond) * (1 - (isLimited ? CUT : FIRST_CUT)),
    );
    this.#settling = SETTLING_WINDOWS;
  }

  /** One probe is under way at a time. */
  #sendProbe(now: number): void {
    if (this.#probedAt !== null && now - this.#probedAt < LOST_AFTER * this.#maxWaitMs) return;
    this.#probedAt = now;
    this.#probe(() => {
      if (this.#probedAt !== now) return;
      this.#waitedMs = this.#clock.now() - now;
      this.#probedAt = null;
    });
  }
}
