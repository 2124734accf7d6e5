import type { Clock } from '../clock.ts';
import { TakingRate } from './taking-rate.ts';

/** How often the rate is set anew, ms. */
export const WINDOW_MS = 50;

/** Shortest time from one probe to the next, ms. */
const PROBE_EVERY_MS = 10;

/** A probe that is still not back after this many times the longest wait speaks for itself. */
const AND_ON = 4;

/** A probe that has been away for this many times the longest wait is lost. */
const LOST_AFTER = 10;

/** Time over which the rate that arrives is averaged, ms. */
const ARRIVING_OVER_MS = 300;

/** Time between two probes with hardly a request in it that is a pause, ms: what comes behind it is averaged anew. */
const PAUSE_MS = 1000;

/** Has a message of its own arrive behind those that wait now, and calls back once it is read. */
export type Probe = (read: () => void) => void;

/**
 * Decides how many requests that begin something new the proxy takes, so that those it has taken are served in time: near its limit every further
 * one costs more in retransmissions than it brings. As long as messages are read soon after they arrived, all are taken; otherwise as many as
 * `TakingRate` says. What tells how long messages wait are probes: messages to ourselves that wait with them.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #maxWaitMs: number;
  readonly #rate: TakingRate;
  #windowStart: number;
  #offered = 0;
  #taken = 0;
  /** Requests that may be taken at this moment, and when they were reckoned. */
  #tokens = 0;
  #tokensAt: number;
  /** When the last probe was sent, and whether it is under way. */
  #probedAt = Number.NEGATIVE_INFINITY;
  #isProbing = false;
  /** The shortest wait of the probes that came back in this window; null: none did. */
  #waited: { readonly sentAt: number; readonly ms: number } | null = null;
  /** New requests a second that arrive, and whether that is of a pause. */
  #arriving = 0;
  #isAfterPause = false;
  /** When the last probe that came back was sent, and the new requests read since it came back: they arrived behind it. */
  #behind: { readonly sentAt: number; requests: number } | null = null;
  /** When the probe was sent whose wait was learnt from last. */
  #learntFrom = Number.NaN;

  /** `maxWaitMs`: how long messages may wait to be read; 0: as long as they like. */
  constructor({ clock, probe, maxWaitMs }: { clock: Clock; probe: Probe; maxWaitMs: number }) {
    this.#clock = clock;
    this.#probe = probe;
    this.#maxWaitMs = maxWaitMs;
    this.#rate = new TakingRate(maxWaitMs);
    this.#windowStart = this.#tokensAt = clock.now();
  }

  /** New requests a second that are taken now; Infinity as long as none is turned away. */
  get rate(): number {
    return this.#rate.perSecond;
  }

  /** Whether to take one more new request. */
  admit(): boolean {
    if (this.#maxWaitMs === 0) return true;
    const now = this.#clock.now();
    if (now - this.#windowStart >= WINDOW_MS) this.#startWindow(now);
    this.#sendProbe(now);
    this.#offered += 1;
    if (this.#behind !== null) this.#behind.requests += 1;
    if (!this.#hasToken(now)) return false;
    this.#taken += 1;
    return true;
  }

  #hasToken(now: number): boolean {
    const perSecond = this.#rate.perSecond;
    if (perSecond === Number.POSITIVE_INFINITY) {
      this.#tokens = 0;
      this.#tokensAt = now;
      return true;
    }
    const most = Math.max(1, (perSecond * WINDOW_MS) / 1000);
    this.#tokens = Math.min(most, this.#tokens + (perSecond * (now - this.#tokensAt)) / 1000);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #startWindow(now: number): void {
    // A probe that is not back has waited this long at least.
    const away = this.#isProbing ? { sentAt: this.#probedAt, ms: now - this.#probedAt } : null;
    const wait = this.#waited ?? (away !== null && this.#rate.isLonger(away.ms) ? away : null);
    if (wait !== null) {
      const ms = now - this.#windowStart;
      const perSecond = 1000 / ms;
      this.#rate.learn({
        waitMs: wait.ms,
        isNews: wait.sentAt !== this.#learntFrom || (wait === away && wait.ms > AND_ON * this.#maxWaitMs),
        ms,
        arriving: this.#arriving,
        offered: this.#offered * perSecond,
        taken: this.#taken * perSecond,
      });
      this.#learntFrom = wait.sentAt;
    }
    this.#windowStart = now;
    this.#offered = this.#taken = 0;
    this.#waited = null;
  }

  /** One probe is under way at a time; one that was lost never comes back. */
  #sendProbe(now: number): void {
    const ago = now - this.#probedAt;
    if (ago < (this.#isProbing ? LOST_AFTER * this.#maxWaitMs : PROBE_EVERY_MS)) return;
    this.#probedAt = now;
    this.#isProbing = true;
    this.#probe(() => {
      if (this.#probedAt !== now) return;
      const ms = this.#clock.now() - now;
      if (this.#waited === null || ms < this.#waited.ms) this.#waited = { sentAt: now, ms };
      this.#isProbing = false;
      this.#countArrived(now);
    });
  }

  /** A probe came back that was sent at this time: what was read since the one before has arrived between the two. */
  #countArrived(sentAt: number): void {
    if (this.#behind !== null) {
      const ms = sentAt - this.#behind.sentAt;
      const rate = (this.#behind.requests * 1000) / ms;
      const share = this.#isAfterPause ? 1 : Math.min(1, ms / ARRIVING_OVER_MS);
      this.#isAfterPause = ms > PAUSE_MS && 2 * rate < this.#arriving;
      this.#arriving += (rate - this.#arriving) * share;
    }
    this.#behind = { sentAt, requests: 0 };
  }
}
