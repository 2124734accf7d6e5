import type { Clock, Timer } from '../../core/index.ts';

/** First wait before a probe, ms; it doubles with each that fails. */
export const PROBE_MIN_MS = 100;

/** Longest wait between two probes, ms. */
export const PROBE_MAX_MS = 1000;

/** Wait before a probe of a server that does not let this client in, ms: each try stands in its log, and a password does not change by itself. */
export const PROBE_REFUSED_MS = 5000;

/** A server that has answered for so long, ms, starts again with the shortest wait. */
export const STABLE_MS = 10_000;

/** closed: operations pass. open: they fail at once. probing: they fail at once while one probe is under way. */
export type BreakerState = 'closed' | 'open' | 'probing';
type BreakerInput = 'failure' | 'success' | 'probeDue';
type BreakerAction = 'none' | 'trip' | 'wait' | 'probe' | 'reset';

/** state x input -> next state, action. */
export const BREAKER_TRANSITIONS: Readonly<
  Record<BreakerState, Readonly<Record<BreakerInput, readonly [BreakerState, BreakerAction]>>>
> = {
  closed: { failure: ['open', 'trip'], success: ['closed', 'none'], probeDue: ['closed', 'none'] },
  open: { failure: ['open', 'none'], success: ['open', 'none'], probeDue: ['probing', 'probe'] },
  probing: { failure: ['open', 'wait'], success: ['closed', 'reset'], probeDue: ['probing', 'none'] },
};

/** What a breaker does to the world. */
export interface BreakerEffects {
  /** Sends one probe; its outcome comes back as `succeeded` or `failed`. */
  probe(): void;
  /** Called when it opens, and not again until it has closed. */
  opened(reason: string): void;
  closed(): void;
}

/** Keeps operations from a server that does not answer, and finds out when it does again. */
export class Breaker {
  readonly #clock: Clock;
  readonly #effects: BreakerEffects;
  #state: BreakerState = 'closed';
  #reason = '';
  #refused = false;
  #waitMs = PROBE_MIN_MS;
  #closedSinceMs: number;
  #timer: Timer | null = null;

  constructor(clock: Clock, effects: BreakerEffects) {
    this.#clock = clock;
    this.#effects = effects;
    this.#closedSinceMs = clock.now();
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Why it is open; empty before the first failure. */
  get reason(): string {
    return this.#reason;
  }

  /** `refused`: the server is there, and does not let this client in. */
  failed(reason: string, refused = false): void {
    this.#reason = reason;
    this.#refused = refused;
    this.#input('failure');
  }

  succeeded(): void {
    this.#input('success');
  }

  /** Cancels the next probe. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #input(input: BreakerInput): void {
    const [next, action] = BREAKER_TRANSITIONS[this.#state][input];
    this.#state = next;
    switch (action) {
      case 'none':
        return;
      case 'trip':
        if (this.#clock.now() - this.#closedSinceMs >= STABLE_MS) this.#waitMs = PROBE_MIN_MS;
        this.#scheduleProbe();
        this.#effects.opened(this.#reason);
        return;
      case 'wait':
        this.#scheduleProbe();
        return;
      case 'probe':
        this.#effects.probe();
        return;
      case 'reset':
        this.#closedSinceMs = this.#clock.now();
        this.#effects.closed();
        return;
    }
  }

  #scheduleProbe(): void {
    const waitMs = this.#refused ? PROBE_REFUSED_MS : this.#waitMs;
    this.#timer = this.#clock.setTimer(waitMs, () => this.#input('probeDue'));
    this.#waitMs = Math.min(this.#waitMs * 2, PROBE_MAX_MS);
  }
}
