import {
  buildAck,
  buildCancel,
  hasFurtherVia,
  type Outgoing,
  type SipRequest,
  type SipResponse,
  type Target,
  type Timer,
} from '../../core/index.ts';
import type { Attempt, Failover } from './attempt.ts';
import { ClientTransaction, type ClientUser } from './client-transaction.ts';
import { type Outcome, outcomeWithout } from './outcome.ts';
import { takeResponse } from './response-queue.ts';
import type { Environment } from './running-machine.ts';
import { type KnownBranch, type LateResponses, SettledClient } from './settled-client.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/** One forwarded copy of a request: a client transaction with what the proxy adds to it, timer C and CANCEL (RFC 3261 16.6, 16.8, 16.10). */
export class Branch implements ClientUser, KnownBranch {
  /** The Via branch parameter. */
  readonly id: string;
  readonly method: string;
  /** Position among all branches of the request, from 0 ($T_branch_idx). */
  readonly index: number;
  readonly transaction: Transaction;
  /** Where it was sent, until the request is over. */
  uri: string | null;
  /** Its share of the request's Max-Breadth; null: all of it. */
  readonly breadth: number | null;
  readonly #tm: Tm;
  /** Null once no CANCEL or ACK can be needed: a branch stays for as long as it absorbs retransmissions. */
  #request: SipRequest | null;
  #client: ClientTransaction;
  #target: Target;
  #sent: Outgoing | null;
  /** What to send when the first attempt cannot be sent (RFC 3261 18.1.1). */
  #otherwise: Attempt | null;
  #failover: Failover | null;
  /** A branch to another target has taken its place: only a 2xx from here still counts. */
  #replaced = false;
  outcome: Outcome | null = null;
  /** A provisional response has come. */
  replied = false;
  /** It took longer than fr_timer or fr_inv_timer allow. */
  timedOutHere = false;
  /** Taken out of the choice of the answer by t_drop_replies. */
  dropped = false;
  /** Header lines for the CANCEL; null: none is wanted. */
  #cancelHeaders: string | null = null;
  /** The wait for a first response where that is shorter than timer B, then timer C, then the wait for the end of what was cancelled. */
  #timer: Timer | null = null;

  constructor(
    tm: Tm,
    transaction: Transaction,
    options: {
      readonly id: string;
      readonly index: number;
      readonly breadth: number | null;
      readonly request: SipRequest;
      readonly first: Attempt;
      readonly otherwise: Attempt | null;
      readonly failover: Failover | null;
    },
  ) {
    this.#tm = tm;
    this.transaction = transaction;
    this.id = options.id;
    this.method = options.request.method;
    this.index = options.index;
    this.uri = options.first.sent.uri;
    this.breadth = options.breadth;
    this.#request = options.request;
    this.#target = options.first.target;
    this.#sent = options.first.sent;
    this.#otherwise = options.otherwise;
    this.#failover = options.failover;
    this.#client = this.#newClient(options.first);
  }

  #newClient({ bytes, target }: Attempt): ClientTransaction {
    return new ClientTransaction(this, { request: bytes, reliable: target.protocol !== 'udp' });
  }

  get invite(): boolean {
    return this.transaction.invite;
  }
  get environment(): Environment {
    return this.transaction;
  }

  start(): void {
    this.#tm.branches.add(this);
    this.#client.start();
    this.#awaitFirst();
  }

  /** A response with its branch parameter has come. */
  received(response: SipResponse): void {
    this.#client.received(response);
  }

  /**
   * Cancels what is under way: at once when a provisional response has come, otherwise as soon as one does (RFC 3261 9.1).
   * `headers` are complete lines for the CANCEL, such as a Reason.
   */
  cancel(headers = ''): void {
    if (this.outcome !== null || this.#cancelHeaders !== null) return;
    this.#cancelHeaders = headers;
    if (this.replied) this.#sendCancel(headers);
  }

  /** The transaction's time limits have changed: those that run begin anew. */
  restartTimers(): void {
    if (this.outcome !== null) return;
    this.#client.restartDeadline();
    if (!this.invite) return; // timer F is all that others have
    if (this.replied) this.#startTimerC();
    else this.#awaitFirst();
  }

  /** Lets go of the response it came to, once the caller has its answer; `upstream`: where late 2xx go. */
  release(upstream: Pick<LateResponses, 'target' | 'point'>): void {
    this.uri = null; // a part of the message's text, which it would keep whole
    if (this.outcome !== null) this.outcome = outcomeWithout(this.outcome.status);
    if (!this.#client.isWaiting) return;
    const settled = new SettledClient(this.#tm, this, this.#lateResponses(upstream));
    this.#tm.branches.replace(this, settled);
    this.#client.handOver(settled);
  }

  #lateResponses(upstream: Pick<LateResponses, 'target' | 'point'>): LateResponses {
    const { state, ack } = this.#client;
    if (state === 'accepted') return { ack: null, ...upstream };
    return { ack, point: null, target: ack === null ? null : this.#target };
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#client.cancelTimers();
  }

  transmit(message: Buffer, onError: (error: Error) => void): void {
    this.#tm.core.transport.send(message, this.#target, onError);
  }

  resending(): void {
    this.#tm.counters.requestsResent += 1;
  }

  responded(response: SipResponse): void {
    const { status } = response;
    this.#otherwise = null;
    if (status < 200) {
      const first = !this.replied;
      this.replied = true;
      if (first && this.#cancelHeaders !== null) this.#sendCancel(this.#cancelHeaders);
      if (this.outcome !== null) return; // given up before
      if (this.transaction.invite && (status > 100 || first)) this.#startTimerC();
    } else {
      const isPassedOver = this.#passesOver(status);
      if (!isPassedOver) this.#finish({ status, response: hasFurtherVia(response) ? response : null });
      this.#forgetRequest();
      if (isPassedOver) return;
    }
    takeResponse(this.#tm, this, response);
  }

  acknowledgement(response: SipResponse): Buffer | null {
    return this.#request === null || this.#sent === null
      ? null
      : buildAck(this.#request, response, this.#sent);
  }

  /** Passes over a final response where another target has been tried instead, or now is, as after a 503 (RFC 3263 4.3). */
  #passesOver(status: number): boolean {
    if (!this.#replaced) return status === 503 && this.#tryNext(status, '503');
    if (status >= 300) return true;
    this.#replaced = false;
    this.transaction.addBranch(this);
    return false;
  }

  /** Goes on to the next target. False: there is none, or the request needs it no more. */
  #tryNext(status: number, why: string): boolean {
    if (this.#failover === null || this.outcome !== null || this.#cancelHeaders !== null) return false;
    if (!this.#failover.replace(this, why)) return false;
    this.#replaced = true;
    this.uri = null; // a part of the message's text
    this.#finish(outcomeWithout(status));
    return true;
  }

  timedOut(): void {
    this.#tookTooLong();
    if (!this.replied && this.#tryNext(408, 'no response')) return;
    this.#endWithout(this.transaction.canceled ? 487 : 408);
  }

  #tookTooLong(): void {
    if (!this.timedOutHere) this.#tm.counters.timeouts += 1;
    this.timedOutHere = true;
  }

  transportFailed(error: Error): void {
    if (this.#mayTryOtherwise()) return; // once the client transaction has ended
    if (!this.replied && this.#tryNext(503, error.message)) return;
    this.#tm.log.warn('request could not be sent', {
      callId: this.#request?.callId,
      to: `${this.#target.protocol}:${this.#target.address}:${this.#target.port}`,
      error: error.message,
    });
    const failed = this.#target.onlyFlow === true ? 430 : 503; // RFC 5626 5.3.1: the flow is gone
    this.#endWithout(this.transaction.canceled ? 487 : failed);
  }

  #mayTryOtherwise(): boolean {
    return this.#otherwise !== null && !this.replied && this.outcome === null && this.#cancelHeaders === null;
  }

  clientEnded(): void {
    if (this.#otherwise !== null && this.#mayTryOtherwise()) {
      const attempt = this.#otherwise;
      this.#otherwise = null;
      this.#target = attempt.target;
      this.#sent = attempt.sent;
      this.#client = this.#newClient(attempt);
      this.#client.start();
      return;
    }
    this.#timer?.cancel();
    this.#timer = null;
    this.#forgetRequest();
    this.#tm.branches.remove(this);
  }

  /** The branch has no response: a status of our own stands for it. */
  #endWithout(status: number): void {
    if (this.outcome !== null) return;
    this.#finish(outcomeWithout(status));
    this.transaction.branchEnded(this);
  }

  #finish(outcome: Outcome): void {
    if (this.outcome === null || outcome.status < 300) this.outcome = outcome; // a 2xx counts also where it comes late
    this.#timer?.cancel();
    this.#timer = null;
  }

  #forgetRequest(): void {
    this.#request = null;
    this.#sent = null;
    this.#otherwise = null;
    this.#failover = null;
  }

  /** fr_timer, where it is shorter than timer B: what comes after it is cancelled, and a 200 still taken. */
  #awaitFirst(): void {
    const { responseMs, t1Ms } = this.transaction.timing;
    this.#timer?.cancel();
    this.#timer = null;
    if (!this.transaction.invite || responseMs >= 64 * t1Ms) return;
    this.#timer = this.#tm.clock.setTimer(responseMs, () => {
      this.#client.stopRetransmitting();
      this.timedOut();
      this.#cancelHeaders ??= '';
    });
  }

  /** Timer C: set by the first provisional response, set anew by each one above 100 (16.7 step 2). */
  #startTimerC(): void {
    if (this.outcome !== null || this.#cancelHeaders !== null) return;
    this.#timer?.cancel();
    const ms = Math.max(0, Math.min(this.transaction.timing.finalMs, this.transaction.remainingMs));
    this.#timer = this.#tm.clock.setTimerFor(this, ms, Branch.#timerC);
  }

  static readonly #timerC = (branch: Branch): void => {
    branch.#tookTooLong();
    branch.cancel();
  };

  #sendCancel(headers: string): void {
    if (!this.invite || this.#request === null || this.#sent === null) return; // 9.1
    const cancel = buildCancel(this.#request, this.#sent, headers);
    this.#timer?.cancel();
    // A callee that answers neither the CANCEL nor the INVITE: over after 64*T1 (RFC 3261 9.1).
    this.#timer = this.#tm.clock.setTimer(64 * this.#tm.timing.t1Ms, () => this.#unanswered());
    this.#tm.sendCancel(this.id, cancel, this.#target);
  }

  #unanswered(): void {
    this.#client.cancelTimers();
    this.clientEnded();
    this.#endWithout(this.transaction.canceled ? 487 : 408);
  }
}
