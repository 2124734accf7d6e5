import type { SipRequest } from '../../core/index.ts';
import { type Destination, DestinationSet } from './destinations.ts';

/** Where a request may still go: to its Request-URI, until that is dealt with, and to destinations besides (RFC 3261 16.5). */
export class TargetSet {
  #destinations: DestinationSet | null = null;
  /** Request-URI and next hop that are dealt with: sent to, or put into the destination set. */
  #usedUri: string | null = null;
  #usedNextHop: string | null = null;

  /** Where else than to its Request-URI the request goes. */
  get destinations(): DestinationSet {
    this.#destinations ??= new DestinationSet();
    return this.#destinations;
  }

  /** The Request-URI as a destination, unless it has been used. */
  mainDestination(request: SipRequest): Destination | null {
    const isUsed = request.uri === this.#usedUri && request.nextHop === this.#usedNextHop;
    return isUsed ? null : this.destinations.mainOf(request);
  }

  /** The Request-URI as it stands goes no further by itself. */
  mainUsed({ uri, nextHop }: SipRequest): void {
    this.#usedUri = uri;
    this.#usedNextHop = nextHop;
  }

  /** The Request-URI has been set for the next t_relay. */
  mainUnused(): void {
    this.#usedUri = null;
  }

  /** The destinations to send to now; null: only to the Request-URI. */
  take(request: SipRequest): readonly Destination[] | null {
    if (this.#destinations === null) return null;
    const taken = this.#destinations.take(this.mainDestination(request));
    return taken.length === 0 ? null : taken;
  }

  /** Forgets the destinations that were appended and not sent to. */
  clear(): void {
    this.#destinations?.clear();
  }
}
