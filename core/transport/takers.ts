import type { Clock } from '../clock.ts';

/** How long a send that went well speaks for the next ones to its address, ms: less than T1, so that a request's first retransmission asks again (RFC 3261 17.1.1.2). */
export const TAKEN_MS = 250;
/** Addresses kept at most; further ones are asked about each time. */
const MAX_TAKERS = 10_000;
/** Above this size, bytes, a datagram may be refused where a smaller one was taken. */
const USUAL_BYTES = 1_400;

/**
 * Addresses that took a datagram a moment ago. Whether the system takes one is known at once, but Node.js tells it in a call of its own, which
 * costs as much again as the send: so it is asked once in a while, and every time after a failure.
 */
export class Takers {
  readonly #clock: Clock;
  readonly #addresses = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a datagram of this size to this address will be taken as the last one was. */
  takes(address: string, length: number): boolean {
    return length <= USUAL_BYTES && this.#addresses.has(address);
  }

  /** One was taken. */
  took(address: string): void {
    if (this.#addresses.size >= MAX_TAKERS) return;
    if (this.#addresses.size === 0) this.#clock.setTimer(TAKEN_MS, () => this.#addresses.clear());
    this.#addresses.add(address);
  }
}
