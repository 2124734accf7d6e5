/** The wait that the rate is steered to, as a share of the longest that is borne: long enough that the proxy has always something to do. */
const AIM = 0.2;
/** Messages that wait this many times the longest wait more than aimed at leave room for none of the new. */
const STEERING = 4;
/** What is taken however long messages wait, as a share of what would be: without any nothing would be learned. */
const LEAST_SHARE = 0.1;
const LEAST_RATE = 50;

/** What the sustainable rate grows by in a window in which messages hardly waited, and falls by at most in one in which they waited longer and longer. */
const GROWTH = 0.03;
const FALL = 0.05;

/** Of what is taken when an overload begins, the share that is thought sustainable if nothing better is known. */
const FIRST_SHARE = 0.4;
/** What is known of a rate that was served well fades by this share in a window. */
const FADING = 0.005;

/** Windows with a longer wait than any before, none of them calm between, before anything is turned away: a hiccup of the machine is no overload. */
const PATIENCE_WINDOWS = 2;
/** A wait longer by this factor is a new high. */
const LONGER = 1.2;
/** What the longest wait so far is lowered by in a window, as a share of it. */
const FORGETTING = 0.05;
/** Where no more arrives than was served well, the machine is slow for a moment: so many times the longest wait is borne. */
const SLOW_MOMENT = 4;
/** How much more than was served well still counts as no more, as a factor. */
const NO_MORE = 1.15;
/** Time over which the rate that is served well is averaged, ms. */
const SERVED_OVER_MS = 2000;
/** Windows in which nothing had to be turned away before an overload is thought to be over. */
const CALM_WINDOWS = 10;

/** What was seen in a window of time. */
export interface Seen {
  /** The shortest wait of a message in it, ms. */
  readonly waitMs: number;
  /** Whether it is the wait of another message than in the window before, or of one that waits on and on. */
  readonly isNews: boolean;
  /** Its length. */
  readonly ms: number;
  /** New requests a second that arrived, whether they have been read since or wait. */
  readonly arriving: number;
  /** New requests a second that were read, and that were taken. */
  readonly offered: number;
  readonly taken: number;
}

/**
 * Finds the rate of new requests at which messages wait no longer than they should. Two parts: what the proxy can carry for good is learned slowly,
 * and from it is taken off at once what the wait of this moment shows to be too much, so that a backlog is worked off without forgetting what was learned.
 */
export class TakingRate {
  readonly #maxWaitMs: number;
  /** What the proxy can carry, requests a second, as far as is known. */
  #sustainable = 0;
  /** The share of it that is taken now. */
  #share = 1;
  #isLimited = false;
  /** New requests a second that were served well, as a mean of some seconds. */
  #served = 0;
  /** The wait in the window before, ms. */
  #previousMs = 0;
  /** The longest wait so far, too long ones only, fading, ms. */
  #highMs = 0;
  /** Windows that speak for the other state: limited or not. */
  #against = 0;

  /** `maxWaitMs`: the longest wait that is borne. */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** Requests a second that are taken; Infinity: all. */
  get perSecond(): number {
    return this.#isLimited ? Math.max(LEAST_RATE, this.#sustainable * this.#share) : Number.POSITIVE_INFINITY;
  }

  /** Whether a wait is longer than the one before: what is known of a message that still waits. */
  isLonger(waitMs: number): boolean {
    return waitMs > Math.max(this.#previousMs, AIM * this.#maxWaitMs);
  }

  /** Sets the rate by what was seen in a window. */
  learn(seen: Seen): void {
    const { waitMs } = seen;
    // A wait that gets shorter is a backlog that is being worked off.
    const isFalling = waitMs < this.#previousMs;
    this.#previousMs = waitMs;
    if (!this.#isLimited && !this.#begins(seen)) return;
    const excess = (waitMs - AIM * this.#maxWaitMs) / (STEERING * this.#maxWaitMs);
    this.#share = Math.min(1, Math.max(LEAST_SHARE, 1 - excess));
    if (excess > 0) {
      this.#against = 0;
      if (!isFalling) this.#sustainable *= 1 - FALL * Math.min(1, excess);
    } else if (seen.taken < seen.offered) {
      this.#against = 0;
      if (waitMs < (AIM / 2) * this.#maxWaitMs) this.#sustainable *= 1 + GROWTH;
    } else this.#ends();
  }

  /** Whether an overload begins with this window. */
  #begins({ ms, waitMs, isNews, taken, arriving }: Seen): boolean {
    if (waitMs < AIM * this.#maxWaitMs) {
      this.#sustainable = Math.max(taken, this.#sustainable * (1 - FADING));
      this.#served += (arriving - this.#served) * Math.min(1, ms / SERVED_OVER_MS);
      this.#against = 0;
    }
    // After a hiccup the wait falls, if in waves; in an overload it gets longer and longer.
    const borneMs = this.#maxWaitMs * (arriving > NO_MORE * this.#served ? 1 : SLOW_MOMENT);
    const isNewHigh = waitMs > Math.max(borneMs, LONGER * this.#highMs);
    this.#highMs = isNewHigh ? waitMs : this.#highMs * (1 - FORGETTING);
    if (isNewHigh && isNews) this.#against += 1;
    if (this.#against < PATIENCE_WINDOWS) return false;
    this.#highMs = 0;
    this.#against = 0;
    this.#isLimited = true;
    this.#sustainable = Math.max(this.#sustainable, FIRST_SHARE * taken);
    return true;
  }

  #ends(): void {
    this.#against += 1;
    if (this.#against < CALM_WINDOWS) return;
    this.#against = 0;
    this.#isLimited = false;
  }
}
