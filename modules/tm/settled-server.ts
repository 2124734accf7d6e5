import type { SipRequest, Target } from '../../core/index.ts';
import { KeptMessage } from './kept-message.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';
import type { Waiting } from './wait-queue.ts';

/** A request as those that belong to it find it: its transaction, or what is left of that. */
export interface KnownRequest {
  readonly hash: number;
  readonly key: string;
  /** Whether an ACK that matches it is for its final reply, and ends here: that of a 2xx goes on to the callee. */
  isMeantBy(ack: SipRequest): boolean;
  /** A retransmission of it has come. */
  retransmitted(): void;
  /** An ACK of its final reply has come. */
  acknowledged(): void;
  /** A CANCEL has come; `headers` are complete lines for those that go on. */
  cancel(headers: string): void;
  /** Stops its timers, for a proxy that stops. */
  stop(): void;
}

/**
 * What is left of a server transaction that has answered for good, until it has absorbed retransmissions for long enough (timers I, J and L): nearly all
 * transactions in memory are such, so it is as small as it can be.
 */
class SettledServer implements KnownRequest, Waiting {
  readonly hash: number;
  readonly key: string;
  readonly #isAccepted: boolean;
  readonly #tm: Tm;
  /** What a retransmission gets, and where; null: nothing. */
  readonly #reply: KeptMessage | null;
  readonly #target: Target;

  /** Replies go to `target`. */
  constructor(tm: Tm, { hash, key, server }: Transaction, target: Target) {
    const { state, lastReply } = server;
    this.#tm = tm;
    this.hash = hash;
    this.key = key;
    this.#isAccepted = state === 'accepted';
    this.#reply = lastReply === null ? null : new KeptMessage(lastReply);
    this.#target = target;
  }

  isMeantBy(): boolean {
    return !this.#isAccepted;
  }

  retransmitted(): void {
    if (this.#reply === null) return;
    this.#tm.counters.repliesResent += 1;
    this.#tm.sendReply(this.#reply.bytes, this.#target);
  }

  // Nothing is left that an ACK or CANCEL could end.
  acknowledged(): void {}
  cancel(): void {}
  stop(): void {}

  waitOver(): void {
    this.#tm.removeServer(this);
  }
}

/** Puts what is left of a transaction in its place; replies go to `target`. */
export function leaveTo(tm: Tm, transaction: Transaction, target: Target): void {
  const { server } = transaction;
  const settled = new SettledServer(tm, transaction, target);
  tm.replaceServer(transaction, settled);
  server.handOver(settled);
}
