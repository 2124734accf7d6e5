import {
  Avps,
  buildReply,
  type ListenPoint,
  reasonPhrase,
  Scope,
  type SipRequest,
  type SipResponse,
  type Target,
  type Timer,
} from '../../core/index.ts';
import { bestOutcome } from './best-outcome.ts';
import type { Branch, Outcome } from './branch.ts';
import { ServerTransaction, type ServerUser } from './server-transaction.ts';
import type { Tm } from './tm-layer.ts';

/** Responses of one transaction that may wait for an onreply handler; more are dropped, and come again. */
const MAX_WAITING_RESPONSES = 64;
/** An INVITE that nothing answered for this long gets a 100, ms (RFC 3261 17.2.1). */
const TRYING_AFTER_MS = 200;

/** A request and all that became of it: its server transaction, its branches, its answer (the response context of RFC 3261 16.7). */
export class Transaction implements ServerUser {
  readonly key: string;
  readonly invite: boolean;
  readonly avps = new Avps();
  readonly server: ServerTransaction;
  readonly branches: Branch[] = [];
  /** Handlers armed by t_on_reply, t_on_failure and t_on_branch. */
  onReply: string | null = null;
  onFailure: string | null = null;
  onBranch: string | null = null;
  /** A CANCEL has come. */
  canceled = false;
  /** Status of the final reply sent, 0 while there is none. */
  finalStatus = 0;
  /** The request handler, or a failure handler, is at work: it may still add a branch or reply. */
  handling = true;
  /** A next hop is being looked up. */
  relaying = false;
  readonly #tm: Tm;
  /** Null once the request has been answered for good: its bytes are not needed to absorb retransmissions. */
  #request: SipRequest | null;
  readonly #replyTarget: Target;
  readonly #point: ListenPoint;
  /** For the log, when no ACK comes. */
  #callId = '';
  #toTag = '';
  #trying: Timer | null;
  #draining = false;
  #waiting: { readonly branch: Branch; readonly response: SipResponse }[] | null = null;

  constructor(tm: Tm, key: string, request: SipRequest) {
    this.#tm = tm;
    this.key = key;
    this.#request = request;
    this.#replyTarget = tm.core.transport.replyTarget(request);
    this.#point = request.received.point;
    this.invite = request.method === 'INVITE';
    this.server = new ServerTransaction(tm, this, {
      invite: this.invite,
      reliable: request.received.point.protocol !== 'udp',
    });
    // RFC 4320 4.1: other requests get a 100 when a client's timer E has grown to T2, neither earlier nor never.
    const tryingAfterMs = this.invite ? TRYING_AFTER_MS : tm.timing.t2Ms - tm.timing.t1Ms;
    this.#trying = tm.clock.setTimer(tryingAfterMs, () => this.sendTrying());
  }

  /** The request; only there until it has been answered for good. */
  get request(): SipRequest {
    if (this.#request === null) throw new Error('the request has been answered');
    return this.#request;
  }

  /** Sends 100 unless something was sent before. */
  sendTrying(): void {
    if (this.#trying === null) return;
    this.#sent();
    this.server.reply(100, buildReply(this.request, 100, 'Trying', { toTag: '' }));
  }

  /** Answers the request from here. False when it has a final reply already. */
  reply(status: number, reason: string, headers = ''): boolean {
    if (this.finalStatus !== 0) return false;
    if (status > 100 && this.#toTag === '') this.#toTag = this.#tm.core.randomToken(12);
    const bytes = buildReply(this.request, status, reason, {
      toTag: status > 100 ? this.#toTag : '',
      headers,
    });
    this.#answer(status, bytes);
    if (status >= 200) this.cancelBranches();
    return true;
  }

  /** Whether some branch may still get a final response. */
  get pending(): boolean {
    return this.branches.some((branch) => branch.outcome === null);
  }

  cancelBranches(headers = ''): void {
    for (const branch of this.branches) branch.cancel(headers);
  }

  /** A CANCEL from upstream: ends the branches; where there is none yet, the handler's end or its t_relay answers 487. */
  cancel(headers: string): void {
    if (this.finalStatus !== 0) return;
    this.canceled = true;
    this.cancelBranches(headers);
    if (this.branches.length === 0 && !this.handling) this.reply(487, reasonPhrase(487));
  }

  /**
   * A response from a branch. It waits while an onreply handler is at work on one before it and, when it is to meet such a handler, until the
   * request's own has ended: messages of a transaction are handled in the order in which they came.
   */
  take(branch: Branch, response: SipResponse): void {
    if (this.#waiting === null && !(this.handling && this.onReply !== null)) {
      const run = this.#handle(branch, response);
      if (run === null) return;
      this.#waiting = [];
      void this.#drain(run);
      return;
    }
    this.#waiting ??= [];
    if (this.#waiting.length < MAX_WAITING_RESPONSES) this.#waiting.push({ branch, response });
    else
      this.#tm.log.warn('response dropped: too many wait for an onreply handler', {
        callId: response.callId,
      });
  }

  /** The request's handler, or a failure handler, has ended: what waited for it goes on. */
  handlerEnded(): void {
    this.handling = false;
    if (this.#waiting !== null && !this.#draining) void this.#drain(null);
    this.#release();
  }

  async #drain(first: Promise<void> | null): Promise<void> {
    this.#draining = true;
    if (first !== null) await first;
    for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift()) {
      const run = this.#handle(next.branch, next.response);
      if (run !== null) await run;
    }
    this.#waiting = null;
    this.#draining = false;
    this.#release();
  }

  /** Runs the onreply handler, if one is armed, then sends the response on its way. Null when all is done. */
  #handle(branch: Branch, response: SipResponse): Promise<void> | null {
    if (this.onReply === null || this.#request === null) {
      this.#deliver(branch, response);
      return null;
    }
    const scope = new Scope('onreply', response, {
      request: this.request,
      response,
      avps: this.avps,
      transaction: this,
    });
    const after = () => {
      if (!scope.dropped || response.status >= 200) this.#deliver(branch, response);
    };
    const run = this.#tm.core.handlers.run(scope, this.onReply);
    if (run instanceof Promise) return run.then(after);
    after();
    return null;
  }

  #deliver(branch: Branch, response: SipResponse): void {
    const { status } = response;
    if (status >= 300) return this.branchEnded(branch);
    if (status >= 200) {
      if (this.invite || this.finalStatus === 0) this.#forward(response);
      this.cancelBranches();
      return;
    }
    // RFC 4320 4.1: no provisional response but 100 to anything but INVITE; 100 is hop by hop.
    if (status > 100 && this.invite && this.finalStatus === 0) this.#forward(response);
  }

  /** A branch has a final outcome that is no 2xx: the best of all is the answer once every branch has one (16.7 step 5). */
  branchEnded(branch: Branch): void {
    if (branch.outcome !== null && branch.outcome.status >= 600) this.cancelBranches();
    if (this.finalStatus === 0 && !this.pending && !this.handling) this.conclude();
  }

  /** All branches are done, or there never was one and the call was cancelled: failure handler, then the answer. */
  conclude(): void {
    if (this.finalStatus !== 0 || this.handling) return;
    const best = this.branches.length === 0 ? { status: 487, response: null } : bestOutcome(this.branches);
    const name = this.onFailure;
    if (name === null) return this.#finish(best);
    this.onFailure = null;
    const scope = new Scope('failure', this.request, {
      request: this.request,
      response: best.response,
      avps: this.avps,
      transaction: this,
    });
    this.handling = true;
    const before = this.branches.length;
    const after = () => {
      this.handlerEnded();
      if (this.finalStatus !== 0 || this.pending) return;
      if (this.branches.length > before) this.conclude();
      else this.#finish(best);
    };
    const run = this.#tm.core.handlers.run(scope, name);
    if (run instanceof Promise) void run.then(after);
    else after();
  }

  #finish({ status, response }: Outcome): void {
    if (status === 408 && !this.invite) {
      this.finalStatus = 408; // RFC 4320 4.2: a 408 to anything but INVITE helps nobody
      this.#tm.answered();
      this.#sent();
      this.server.abandon();
    } else if (response === null || status === 503) {
      // 16.7 step 6: a 503 is about the next hop and not about this proxy
      const own = status === 503 ? 500 : status;
      this.reply(own, reasonPhrase(own));
    } else {
      this.#forward(response);
    }
  }

  #forward(response: SipResponse): void {
    this.#answer(response.status, this.#tm.core.forwarding.printResponse(response, this.#point));
  }

  #answer(status: number, bytes: Buffer): void {
    this.#sent();
    if (status >= 200 && this.finalStatus === 0) {
      this.finalStatus = status;
      this.#tm.answered();
      if (this.invite && status >= 300)
        this.#callId = Buffer.from(this.request.callId, 'latin1').toString('latin1');
    }
    this.server.reply(status, bytes);
    this.#release();
  }

  /** Lets go of all that only an unanswered request needs, unless a handler may still ask for it. */
  #release(): void {
    if (this.finalStatus === 0 || this.handling || this.#waiting !== null || this.pending) return;
    if (this.onReply !== null && this.invite && this.finalStatus < 300) return; // runs again for each 2xx
    this.#request = null;
    for (const branch of this.branches) branch.release();
    this.branches.length = 0;
  }

  #sent(): void {
    this.#trying?.cancel();
    this.#trying = null;
  }

  transmit(reply: Buffer): void {
    this.#tm.core.transport.send(reply, this.#replyTarget, (error) => {
      this.#tm.log.warn('reply could not be sent', {
        to: `${this.#replyTarget.address}:${this.#replyTarget.port}`,
        error: error.message,
      });
      this.server.transportFailed();
    });
  }

  acknowledgementMissing(): void {
    this.#tm.log.info('no ACK came for the final reply', {
      callId: this.#callId,
      status: this.finalStatus,
    });
  }

  serverEnded(): void {
    this.#sent();
    this.#tm.removeServer(this);
  }

  /** Lets go of a request that gets no answer from here; a retransmission will be a new request. */
  forget(): void {
    this.#sent();
    this.server.cancelTimers();
    this.#tm.removeServer(this);
  }

  /** Stops every timer, for a proxy that stops. */
  stop(): void {
    this.#sent();
    this.server.cancelTimers();
    for (const branch of this.branches) branch.stop();
  }
}
