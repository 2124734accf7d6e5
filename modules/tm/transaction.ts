import {
  Avps,
  buildReply,
  type Clock,
  type ListenPoint,
  type SipRequest,
  type SipResponse,
  type Target,
  type Timer,
} from '../../core/index.ts';
import type { Branch } from './branch.ts';
import { conclude } from './conclusion.ts';
import { isAckOf, serverKey } from './matching.ts';
import { GIVEN_UP } from './outcome.ts';
import type { Policy } from './policy.ts';
import type { ResponseQueue } from './response-queue.ts';
import type { Environment } from './running-machine.ts';
import { ServerTransaction, type ServerUser } from './server-transaction.ts';
import { type KnownRequest, leaveTo } from './settled-server.ts';
import { TargetSet } from './target-set.ts';
import { type Timing, tryingMs } from './timing.ts';
import type { Tm } from './tm-layer.ts';
import type { Waits } from './wait-queue.ts';

const NO_BRANCHES: readonly Branch[] = Object.freeze([]);
const sendTrying = (transaction: Transaction): void => transaction.sendTrying();

/** A request and all that became of it: its server transaction, its branches, its answer (the response context of RFC 3261 16.7). */
export class Transaction implements KnownRequest, ServerUser, Environment {
  /** What requests that belong to it are found by. */
  readonly hash: number;
  readonly key: string;
  readonly invite: boolean;
  readonly server: ServerTransaction;
  branches: readonly Branch[] = NO_BRANCHES;
  /** Handlers armed by t_on_reply, t_on_failure and t_on_branch. */
  onReply: string | null = null;
  onFailure: string | null = null;
  onBranch: string | null = null;
  /** Timers and limits of its branches (t_set_fr, t_set_retr, t_set_max_lifetime). */
  timing: Timing;
  policy: Policy;
  /** A CANCEL has come. */
  canceled = false;
  /** A branch came to a 6xx: no further ones may be made (16.7 step 5). */
  declined = false;
  /** Status of the final reply sent, 0 while there is none. */
  finalStatus = 0;
  /** Status of the last reply sent, 0 while there is none. */
  lastStatus = 0;
  /** The request handler, or a failure handler, is at work: it may still add a branch or reply. */
  handling = true;
  /** t_relay calls that look up next hops or wait for a branch handler. */
  relaying = 0;
  /** Branches made so far, and how many of them before the last t_relay. */
  branchCount = 0;
  roundStart = 0;
  /** Responses that wait for an onreply handler; null while none has to. */
  queue: ResponseQueue | null = null;
  readonly #tm: Tm;
  readonly #startMs: number;
  /** Null once the request has been answered for good: its bytes are not needed to absorb retransmissions. */
  #request: SipRequest | null;
  #avps: Avps | null = null;
  #replyTarget: Target;
  readonly #point: ListenPoint;
  /** For the log, when no ACK comes. */
  #callId = '';
  #toTag = '';
  #trying: Timer | null;
  #targets: TargetSet | null = null;

  constructor(tm: Tm, hash: number, request: SipRequest) {
    this.#tm = tm;
    this.hash = hash;
    this.key = serverKey(request);
    this.timing = tm.timing;
    this.policy = tm.policy;
    this.#startMs = Math.ceil(tm.clock.now()); // a whole number takes no memory of its own
    this.#request = request;
    this.#replyTarget = tm.core.transport.replyTarget(request);
    this.#point = request.received.point;
    this.invite = request.method === 'INVITE';
    this.server = new ServerTransaction(this, {
      invite: this.invite,
      reliable: this.#point.protocol !== 'udp',
    });
    this.#trying = tm.clock.setTimerFor(this, tryingMs(tm.timing, this.invite), sendTrying);
  }

  get environment(): Environment {
    return this.#tm;
  }

  get clock(): Clock {
    return this.#tm.clock;
  }

  get waits(): Waits {
    return this.#tm.waits;
  }

  isMeantBy(ack: SipRequest): boolean {
    return this.server.state !== 'accepted' && isAckOf(ack, this.server.lastReply);
  }

  /** Whether the request has been answered for good, and let go of. */
  get isReleased(): boolean {
    return this.#request === null;
  }

  /** AVPs of its handlers; let go of with the request, and with them what modules keep for them. */
  get avps(): Avps {
    this.#avps ??= new Avps();
    return this.#avps;
  }

  /** The request; only there until it has been answered for good. */
  get request(): SipRequest {
    if (this.#request === null) throw new Error('the request has been answered');
    return this.#request;
  }

  /** How long the request may still wait for an answer, ms; 0 or less: it has expired (max_inv_lifetime, max_noninv_lifetime). */
  get remainingMs(): number {
    const { inviteLifetimeMs, otherLifetimeMs } = this.timing;
    return this.#startMs + (this.invite ? inviteLifetimeMs : otherLifetimeMs) - this.clock.now();
  }

  /** Where it may still go. */
  get targets(): TargetSet {
    this.#targets ??= new TargetSet();
    return this.#targets;
  }

  /** Sends 100 unless something was sent before. */
  sendTrying(): void {
    if (this.#trying === null) return;
    this.#stopTrying();
    this.lastStatus = 100;
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
    if (status < 200) return true;
    this.#tm.counters.local += 1;
    this.cancelBranches();
    return true;
  }

  /** Whether some branch may still get a final response or is about to be made, or a response waits for an onreply handler. */
  get pending(): boolean {
    return this.relaying > 0 || this.queue !== null || this.branches.some(({ outcome }) => outcome === null);
  }

  addBranch(branch: Branch): void {
    this.branches = [...this.branches, branch];
  }

  cancelBranches(headers = ''): void {
    for (const branch of this.branches) branch.cancel(headers);
  }

  retransmitted(): void {
    this.server.retransmitted();
  }

  acknowledged(): void {
    this.#callId = '';
    this.server.acknowledged();
    this.#leave();
  }

  /** A CANCEL from upstream: ends the branches; where there is none, the failure handler runs once nothing else is at work, and 487 is the answer. */
  cancel(headers: string): void {
    if (this.finalStatus !== 0) return;
    if (!this.canceled) this.#tm.counters.canceled += 1;
    this.canceled = true;
    this.cancelBranches(headers);
    if (this.branches.length === 0) this.settle();
  }

  /** The request's handler, or a failure handler, has ended: what waited for it goes on. */
  handlerEnded(): void {
    this.handling = false;
    this.#targets?.clear();
    this.queue?.drain(null);
    this.release();
    this.#request?.compact();
  }

  /** A branch has a final outcome that is no 2xx: the best of all is the answer once every branch has one (16.7 step 5). */
  branchEnded({ outcome }: Branch): void {
    if (outcome !== null && outcome.status >= 600 && this.policy.endsBy6xx) {
      this.declined = true;
      this.cancelBranches(`Reason: SIP;cause=${outcome.status}\r\n`); // 16.7 step 10
    }
    this.settle();
  }

  /** Answers if nothing is left to wait for. */
  settle(): void {
    if (this.finalStatus !== 0) return this.release();
    if (this.handling || this.pending) return;
    if (this.branches.length > 0 || this.canceled) conclude(this.#tm, this);
  }

  /** Ends the request without an answer. */
  abandon(status: number): void {
    this.finalStatus = status;
    this.#tm.answered(0);
    this.#stopTrying();
    this.server.abandon();
    this.release();
  }

  /** Sends a response on to the caller. */
  forward(response: SipResponse): void {
    const bytes = this.#tm.core.forwarding.printResponse(response, this.#point);
    // 16.7 steps 5 and 9: a 2xx to INVITE goes on whatever was answered before, and whether or not the server transaction is still there.
    if (this.finalStatus !== 0 && this.server.state !== 'accepted') this.transmit(bytes);
    else this.#answer(response.status, bytes);
  }

  #answer(status: number, bytes: Buffer): void {
    this.#stopTrying();
    this.lastStatus = status;
    if (status >= 200 && this.finalStatus === 0) {
      this.finalStatus = status;
      this.#tm.answered(status);
      if (this.invite && status >= 300)
        this.#callId = Buffer.from(this.request.callId, 'latin1').toString('latin1');
    }
    this.server.reply(status, bytes);
    this.release();
  }

  /** Lets go of all that only an unanswered request needs, unless a handler may still ask for it. */
  release(): void {
    if (this.finalStatus === 0 || this.handling || this.pending) return;
    if (this.onReply !== null && this.invite && this.finalStatus < 300) return; // runs again for each 2xx
    this.#request = null;
    this.#avps = null;
    this.#targets = null;
    for (const branch of this.branches) branch.release({ target: this.#replyTarget, point: this.#point });
    this.branches = NO_BRANCHES;
    this.#leave();
  }

  /** Leaves the wait for the end to what is smaller, once that is all that is left to do. */
  #leave(): void {
    if (this.#request === null && this.server.isWaiting) leaveTo(this.#tm, this, this.#replyTarget);
  }

  #stopTrying(): void {
    this.#trying?.cancel();
    this.#trying = null;
  }

  transmit(reply: Buffer): void {
    // A handler may have forced it since the last reply.
    if (this.#request?.rportForced === true)
      this.#replyTarget = this.#tm.core.transport.replyTarget(this.#request);
    this.#tm.sendReply(reply, this.#replyTarget, this.server);
  }

  resending(): void {
    this.#tm.counters.repliesResent += 1;
  }

  acknowledgementMissing(): void {
    this.#tm.unacknowledged(this.#callId, this.finalStatus);
  }

  serverEnded(): void {
    this.#stopTrying();
    if (this.#tm.removeServer(this) && this.finalStatus === 0) this.#tm.unanswered();
  }

  /** Lets go of a request that gets no answer from here; a retransmission will be a new request. */
  forget(): void {
    this.server.cancelTimers();
    this.serverEnded();
    this.finalStatus = GIVEN_UP;
  }

  stop(): void {
    this.#stopTrying();
    this.server.cancelTimers();
  }
}
