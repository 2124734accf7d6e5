import type { SipRequest } from '../sip/message.ts';
import { attemptHash } from './stateless-tag.ts';

/** Requests of each of the two generations. */
const MAX_YOUNG = 10_000;

/**
 * The requests that were refused lately, so that a retransmission gets what the request got (RFC 3261 8.2.7). Only hashes are kept: one request in some 200,000
 * is taken for another's retransmission, and refused as well.
 */
export class Refusals {
  #young = new Set<number>();
  #old = new Set<number>();

  add(request: SipRequest): void {
    if (this.#young.size >= MAX_YOUNG) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(attemptHash(request));
  }

  has(request: SipRequest): boolean {
    if (this.#young.size === 0) return false;
    const hash = attemptHash(request);
    return this.#young.has(hash) || this.#old.has(hash);
  }
}
