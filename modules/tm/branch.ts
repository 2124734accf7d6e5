import {
  buildAck,
  buildCancel,
  type Outgoing,
  type SipRequest,
  type SipResponse,
  type Target,
  type Timer,
} from '../../core/index.ts';
import { ClientTransaction, type ClientUser } from './client-transaction.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/** What a branch came to: a final response, or the status that stands for the lack of one (408, 503; RFC 3261 16.7, 16.9). */
export interface Outcome {
  readonly status: number;
  readonly response: SipResponse | null;
}

/** One forwarded copy of a request: a client transaction with what the proxy adds to it, timer C and CANCEL (RFC 3261 16.6, 16.8, 16.10). */
export class Branch implements ClientUser {
  /** The Via branch parameter. */
  readonly id: string;
  readonly transaction: Transaction;
  readonly #tm: Tm;
  /** Null once the branch has its outcome: no more than that is needed then, for as long as it absorbs retransmissions. */
  #request: SipRequest | null;
  readonly #client: ClientTransaction;
  readonly #target: Target;
  #sent: Outgoing | null;
  outcome: Outcome | null = null;
  #provisional = false;
  /** Header lines for the CANCEL; null: none is wanted. */
  #cancelHeaders: string | null = null;
  #timerC: Timer | null = null;

  constructor(
    tm: Tm,
    transaction: Transaction,
    options: {
      readonly id: string;
      readonly request: SipRequest;
      readonly target: Target;
      readonly sent: Outgoing;
      readonly bytes: Buffer;
    },
  ) {
    this.#tm = tm;
    this.transaction = transaction;
    this.id = options.id;
    this.#request = options.request;
    this.#target = options.target;
    this.#sent = options.sent;
    this.#client = new ClientTransaction(tm, this, {
      invite: transaction.invite,
      request: options.bytes,
      target: options.target,
    });
  }

  start(): void {
    this.#tm.addClient(this.id, this.#client);
    this.#client.start();
  }

  /**
   * Cancels what is under way: at once when a provisional response has come, otherwise as soon as one does (RFC 3261 9.1).
   * `headers` are complete lines for the CANCEL, such as a Reason.
   */
  cancel(headers = ''): void {
    if (this.outcome !== null || this.#cancelHeaders !== null) return;
    this.#cancelHeaders = headers;
    if (this.#provisional) this.#sendCancel(headers);
  }

  /** Lets go of the response it came to, once the caller has its answer. */
  release(): void {
    if (this.outcome !== null) this.outcome = { status: this.outcome.status, response: null };
  }

  stop(): void {
    this.#timerC?.cancel();
    this.#timerC = null;
    this.#client.cancelTimers();
  }

  transmit(request: Buffer, target: Target, onError: (error: Error) => void): void {
    this.#tm.core.transport.send(request, target, onError);
  }

  responded(response: SipResponse): void {
    const { status } = response;
    if (status < 200) {
      const first = !this.#provisional;
      this.#provisional = true;
      if (first && this.#cancelHeaders !== null) this.#sendCancel(this.#cancelHeaders);
      if (this.transaction.invite && (status > 100 || first)) this.#startTimerC();
    } else {
      this.#finish({ status, response });
    }
    this.transaction.take(this, response);
  }

  acknowledgement(response: SipResponse): Buffer | null {
    return this.#request === null || this.#sent === null
      ? null
      : buildAck(this.#request, response, this.#sent);
  }

  timedOut(): void {
    this.#finish({ status: this.transaction.canceled ? 487 : 408, response: null });
    this.transaction.branchEnded(this);
  }

  transportFailed(error: Error): void {
    this.#tm.log.warn('request could not be sent', {
      callId: this.#request?.callId,
      to: `${this.#target.protocol}:${this.#target.address}:${this.#target.port}`,
      error: error.message,
    });
    this.#finish({ status: 503, response: null });
    this.transaction.branchEnded(this);
  }

  clientEnded(): void {
    this.#tm.removeClient(this.id);
  }

  #finish(outcome: Outcome): void {
    this.outcome ??= outcome;
    this.#request = null;
    this.#sent = null;
    this.#timerC?.cancel();
    this.#timerC = null;
  }

  /** Timer C: set by the first provisional response, set anew by each one above 100 (16.7 step 2). */
  #startTimerC(): void {
    if (this.outcome !== null || this.#cancelHeaders !== null) return;
    this.#timerC?.cancel();
    this.#timerC = this.#tm.clock.setTimer(this.#tm.timing.finalMs, () => this.cancel());
  }

  #sendCancel(headers: string): void {
    if (this.#request === null || this.#sent === null) return;
    const cancel = buildCancel(this.#request, this.#sent, headers);
    this.#timerC?.cancel();
    // A callee that answers neither the CANCEL nor the INVITE: over after 64*T1 (RFC 3261 9.1).
    this.#timerC = this.#tm.clock.setTimer(64 * this.#tm.timing.t1Ms, () => this.#unanswered());
    this.#tm.sendCancel(this.id, cancel, this.#target);
  }

  #unanswered(): void {
    if (this.outcome !== null) return;
    this.#finish({ status: this.transaction.canceled ? 487 : 408, response: null });
    this.transaction.branchEnded(this);
  }
}
