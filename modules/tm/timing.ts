import type { TimerName } from './machines.ts';

/** T4, ms: how long a message can stay in the network (RFC 3261 17.1.2.2, table 4). */
const T4_MS = 5_000;

/** The timer values of one proxy, ms. Names as in RFC 3261 table 4; Kamailio's parameter in brackets. */
export interface Timing {
  /** T1: round-trip time estimate [retr_timer1]. */
  readonly t1Ms: number;
  /** T2: longest interval between retransmissions of non-INVITE requests and INVITE responses [retr_timer2]. */
  readonly t2Ms: number;
  /**
   * Wait for the first response to INVITE, for the final one to others (timer F) [fr_timer]. Timer B is 64*T1 at least: where this is shorter,
   * the branch is given up before, but a late response still finds its transaction.
   */
  readonly responseMs: number;
  /** Timer C: wait for a final response once a provisional one has come (16.6 step 11) [fr_inv_timer]. */
  readonly finalMs: number;
  /** Timers D, H, J, L and M: how long a transaction that is over absorbs retransmissions [wt_timer]. */
  readonly waitMs: number;
  /** How long an INVITE may wait for its answer in all [max_inv_lifetime]. */
  readonly inviteLifetimeMs: number;
  /** The same for other requests [max_noninv_lifetime]. */
  readonly otherLifetimeMs: number;
}

/**
 * Length of a timer, ms. `previousMs` is the interval before of a retransmission timer (0: it is the first); `proceeding` tells
 * timer E that a provisional response has come (17.1.2.2).
 */
export function timerMs(
  timing: Timing,
  timer: TimerName,
  { reliable, previousMs, proceeding }: { reliable: boolean; previousMs: number; proceeding: boolean },
): number {
  switch (timer) {
    case 'A':
      return previousMs === 0 ? timing.t1Ms : previousMs * 2;
    case 'E':
      if (proceeding) return timing.t2Ms;
      return previousMs === 0 ? timing.t1Ms : Math.min(previousMs * 2, timing.t2Ms);
    case 'G':
      return previousMs === 0 ? timing.t1Ms : Math.min(previousMs * 2, timing.t2Ms);
    case 'B':
      return Math.max(timing.responseMs, 64 * timing.t1Ms);
    case 'F':
      return timing.responseMs;
    case 'I':
    case 'K':
      return reliable ? 0 : T4_MS;
    case 'D':
    case 'J':
      return reliable ? 0 : timing.waitMs;
    case 'H':
    case 'L':
    case 'M':
      break;
  }
  return timing.waitMs;
}

/** An INVITE that nothing answered for this long gets a 100, ms (RFC 3261 17.2.1). */
const TRYING_AFTER_MS = 200;

/** After how long a request that nothing answered gets a 100, ms. One other than INVITE: when a client's timer E has grown to T2 (RFC 4320 4.1). */
export function tryingMs({ t1Ms, t2Ms }: Timing, invite: boolean): number {
  return invite ? TRYING_AFTER_MS : t2Ms - t1Ms;
}
