import {
  Avps,
  BoundedCache,
  type Clock,
  type CoreServices,
  hasFurtherVia,
  type Logger,
  MAGIC_COOKIE,
  reasonPhrase,
  type Scope,
  type SipRequest,
  type SipResponse,
  type Target,
  type TransactionLayer,
} from '../../core/index.ts';
import { giveUp } from './conclusion.ts';
import { BranchTable } from './branch-table.ts';
import { CancelTransaction } from './cancel-transaction.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { newTmCounters } from './figures.ts';
import { serverHash } from './matching.ts';
import { GIVEN_UP } from './outcome.ts';
import type { Policy } from './policy.ts';
import { ServerTable } from './server-table.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { KnownBranch } from './settled-client.ts';
import type { KnownRequest } from './settled-server.ts';
import type { Timing } from './timing.ts';
import { Transaction } from './transaction.ts';
import { Waits } from './wait-queue.ts';

/** Expressions of t_check_status kept compiled. */
const MAX_EXPRESSIONS = 100;

/** Chars, of 5 bits each, that a random number is made of. */
const RANDOM_CHARS = 8;

export interface TmOptions {
  readonly core: CoreServices;
  readonly log: Logger;
  readonly timing: Timing;
  readonly policy: Policy;
  readonly maxTransactions: number;
}

/** The transactions of a proxy, and what decides where an arriving message belongs (RFC 3261 17.1.3, 17.2.3). */
export class Tm implements TransactionLayer {
  readonly core: CoreServices;
  readonly log: Logger;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly waits: Waits;
  readonly policy: Policy;
  readonly counters = newTmCounters();
  /** Of t_check_status, by their text. */
  readonly expressions = new BoundedCache<RegExp>(MAX_EXPRESSIONS);
  readonly #options: TmOptions;
  readonly #servers = new ServerTable<KnownRequest>();
  readonly #serverSeed: number;
  readonly branches: BranchTable<KnownBranch>;
  readonly #cancels = new Map<string, ClientTransaction>();
  #loopName: string | null = null;
  #active = 0;

  constructor(options: TmOptions) {
    this.#options = options;
    this.core = options.core;
    this.log = options.log;
    this.clock = options.core.clock;
    this.timing = options.timing;
    this.waits = new Waits(this.clock);
    this.policy = options.policy;
    // Nobody can guess the prefix, so nobody off the path can forge a response.
    this.branches = new BranchTable(`${MAGIC_COOKIE}t${options.core.randomToken(12)}`);
    this.#serverSeed = Math.floor(this.random() * 2 ** 32) | 0;
  }

  /** A branch parameter that no other request ever gets (RFC 3261 8.1.1.7). */
  newBranchId(): string {
    return this.branches.newId();
  }

  /** A number from 0 to 1, 1 left out. */
  random(): number {
    return Number.parseInt(this.core.randomToken(RANDOM_CHARS), 32) / 32 ** RANDOM_CHARS;
  }

  /** What this proxy calls itself in the part of a branch that tells loops: the names that it puts into Vias. */
  get loopName(): string {
    this.#loopName ??= this.core.transport.points
      .map(({ protocol, sentBy }) => `${protocol}:${sentBy}`)
      .join();
    return this.#loopName;
  }

  /** Server transactions whose request has no final reply yet. */
  get active(): number {
    return this.#active;
  }

  /** Transactions in memory, by kind. */
  get sizes(): { readonly server: number; readonly client: number; readonly cancel: number } {
    return { server: this.#servers.size, client: this.branches.size, cancel: this.#cancels.size };
  }

  /** Server transactions in memory. */
  get size(): number {
    return this.#servers.size;
  }

  /** Takes a request before its handler: see TransactionLayer. */
  request(
    request: SipRequest,
    hasRoom: (request: SipRequest) => boolean,
  ): ReturnType<TransactionLayer['request']> {
    const hash = serverHash(request, this.#serverSeed);
    const known = this.#servers.find(hash, request);
    if (request.method === 'ACK') {
      if (known !== null && known.isMeantBy(request)) {
        known.acknowledged();
        return 'absorbed';
      }
      if (!hasRoom(request)) return 'overload'; // the callee sends its 2xx again
      return { transaction: null, avps: new Avps() };
    }
    if (known !== null) {
      this.counters.absorbed += 1;
      known.retransmitted();
      return 'absorbed';
    }
    if (this.#servers.size >= this.#options.maxTransactions || !hasRoom(request)) return 'overload';
    const transaction = new Transaction(this, hash, request);
    this.#servers.add(transaction);
    this.#active += 1;
    if (transaction.invite) this.counters.invites += 1;
    else this.counters.others += 1;
    return { transaction, avps: transaction.avps };
  }

  ended(scope: Scope, outcome: 'ended' | 'failed'): void {
    if (!(scope.transaction instanceof Transaction)) return;
    const transaction = scope.transaction;
    transaction.handlerEnded();
    if (transaction.finalStatus !== 0) return;
    if (transaction.relaying > 0) return;
    if (transaction.branches.length > 0 || (transaction.canceled && !scope.settled)) {
      transaction.settle();
    } else if (outcome === 'failed') {
      transaction.reply(500, 'Server Internal Error');
    } else if (transaction.lastStatus > 100) {
      this.#awaitReply(transaction);
    } else {
      if (!scope.settled) this.#warnUnsettled(transaction.request);
      transaction.forget(); // also when answered without state: a retransmission is a new request then
    }
  }

  /** The handler has said that it rings, and what it has begun will answer: within the time that a callee has. */
  #awaitReply(transaction: Transaction): void {
    this.clock.setTimer(transaction.timing.finalMs, () => {
      if (transaction.invite) transaction.reply(408, reasonPhrase(408));
      else if (transaction.finalStatus === 0) transaction.abandon(408);
    });
  }

  #warnUnsettled(request: SipRequest): void {
    this.log.warn('the request handler neither replied nor relayed', {
      callId: request.callId,
      method: request.method,
    });
  }

  response(response: SipResponse): boolean {
    const { branch } = response.topVia;
    if (branch === null) return false;
    const { method } = response.cseq;
    if (method === 'CANCEL') {
      const client = this.#cancels.get(branch);
      client?.received(response);
      return client !== undefined;
    }
    const known = this.branches.find(branch);
    if (known === null || known.method !== method) return false; // 17.1.3
    // 16.7 step 3: with no Via but ours it goes no further. A 2xx is nothing without that; of a failure the status counts, since some callees leave Vias out.
    const { status } = response;
    if (status > 100 && status < 300 && !hasFurtherVia(response)) return false;
    known.received(response);
    return true;
  }

  reply(scope: Scope, status: number, reason: string): boolean {
    const { transaction } = scope;
    if (!(transaction instanceof Transaction)) return false;
    if (status >= 200) scope.settled = true;
    if (transaction.finalStatus === GIVEN_UP) this.warnGivenUp(transaction);
    return transaction.reply(status, reason, scope.replyHeaders);
  }

  hasBegun({ transaction }: Scope): boolean {
    if (!(transaction instanceof Transaction)) return false;
    const { finalStatus, lastStatus, branches, relaying } = transaction;
    return finalStatus !== 0 || lastStatus > 100 || branches.length > 0 || relaying > 0;
  }

  giveUp(): number {
    let left = 0;
    for (const known of this.#servers.values()) {
      if (!(known instanceof Transaction) || known.finalStatus !== 0) continue;
      giveUp(known);
      left += 1;
    }
    return left;
  }

  /** A handler goes on with a request that was given up when it had ended, such as from a timer or behind a promise that it did not wait for. */
  warnGivenUp({ request: { callId, method } }: Transaction): void {
    this.log.warn('the request was given up when its handler had ended: nothing is sent for it', {
      callId,
      method,
    });
  }

  /** The INVITE that a CANCEL means, if it is here (RFC 3261 9.2). */
  invited(cancel: SipRequest): KnownRequest | null {
    return this.#servers.find(serverHash(cancel, this.#serverSeed), cancel, 'INVITE');
  }

  /** Sends a CANCEL as a transaction of its own; what becomes of it does not matter to the INVITE (9.1). */
  sendCancel(branch: string, bytes: Buffer, target: Target): void {
    const cancel = new CancelTransaction(this, bytes, target, () => this.#cancels.delete(branch));
    this.#cancels.set(branch, cancel.client);
    cancel.client.start();
  }

  /** Sends a reply; `failed` is told when it could not be sent. */
  sendReply(bytes: Buffer, target: Target, failed?: Pick<ServerTransaction, 'transportFailed'>): void {
    this.core.transport.send(bytes, target, (error) => {
      const to = `${target.address}:${target.port}`;
      this.log.warn('reply could not be sent', { to, error: error.message });
      failed?.transportFailed();
    });
  }

  replaceServer(transaction: Transaction, by: KnownRequest): void {
    this.#servers.replace(transaction, by);
  }

  /** Returns whether it was there. */
  removeServer(known: KnownRequest): boolean {
    return this.#servers.remove(known);
  }

  /** No ACK came for a final reply. */
  unacknowledged(callId: string, status: number): void {
    this.counters.unacknowledged += 1;
    this.log.info('no ACK came for the final reply', { callId, status });
  }

  /** A request has been forgotten without an answer. */
  unanswered(): void {
    this.#active -= 1;
  }

  /** A transaction has got its final reply; status 0: it gets none. */
  answered(status: number): void {
    this.#active -= 1;
    this.counters.finals[Math.floor(status / 100)]! += 1;
  }

  stop(): void {
    for (const transaction of this.#servers.values()) transaction.stop();
    for (const branch of this.branches.values()) branch.stop();
    for (const client of this.#cancels.values()) client.cancelTimers();
    this.waits.clear();
    this.#servers.clear();
    this.branches.clear();
    this.#cancels.clear();
  }
}
