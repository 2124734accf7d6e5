import type { ListenPoint, SipResponse, Target } from '../../core/index.ts';
import { KeptMessage } from './kept-message.ts';
import type { Tm } from './tm-layer.ts';
import type { Waiting } from './wait-queue.ts';

/** Whom responses with a branch parameter are for: a branch, or what is left of it. */
export interface KnownBranch {
  /** The branch parameter, and the method of the request: what tells that a response is for it (RFC 3261 17.1.3). */
  readonly id: string;
  readonly method: string;
  received(response: SipResponse): void;
  /** Stops its timers, for a proxy that stops. */
  stop(): void;
}

/** What a branch that is over still has to do with responses that come late. */
export interface LateResponses {
  /** The ACK for each that is a failure; null: there is none to send. */
  readonly ack: Buffer | null;
  /** The socket by which each 2xx goes on to the caller; null: none does. */
  readonly point: ListenPoint | null;
  /** Where the one or the other goes. */
  readonly target: Target | null;
}

/**
 * What is left of a branch whose request has been answered for good, until it has absorbed late responses for long enough (timers D, K and M): a failure of an
 * INVITE that comes again is acknowledged, a 2xx goes on to the caller (RFC 3261 17.1.1.2, RFC 6026 7.2).
 */
export class SettledClient implements KnownBranch, Waiting {
  readonly id: string;
  readonly method: string;
  readonly #tm: Tm;
  readonly #ack: KeptMessage | null;
  readonly #point: ListenPoint | null;
  readonly #target: Target | null;

  constructor(
    tm: Tm,
    { id, method }: Pick<KnownBranch, 'id' | 'method'>,
    { ack, point, target }: LateResponses,
  ) {
    this.#tm = tm;
    this.id = id;
    this.method = method;
    this.#ack = ack === null ? null : new KeptMessage(ack);
    this.#point = point;
    this.#target = target;
  }

  received(response: SipResponse): void {
    const target = this.#target;
    if (target === null || response.status < 200) return;
    const isSuccess = response.status < 300;
    if (isSuccess && this.#point !== null) {
      this.#tm.sendReply(this.#tm.core.forwarding.printResponse(response, this.#point), target);
    } else if (!isSuccess && this.#ack !== null) {
      this.#tm.core.transport.send(this.#ack.bytes, target);
    }
  }

  // Its wait ends with all others.
  stop(): void {}

  waitOver(): void {
    this.#tm.branches.remove(this);
  }
}
