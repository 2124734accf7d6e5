import { Scope, type SipResponse } from '../../core/index.ts';
import type { Branch } from './branch.ts';
import type { Tm } from './tm-layer.ts';

/** Responses of one transaction that may wait for an onreply handler; more are dropped, but for the first final one of each branch: failures do not come again. */
const MAX_WAITING_RESPONSES = 64;

/** A run of a handler that concerns one branch of its transaction. */
export class BranchScope extends Scope {
  /** Position of the branch among all of its request, from 0. */
  readonly branchIndex: number;

  constructor(
    route: Scope['route'],
    msg: Scope['msg'],
    options: ConstructorParameters<typeof Scope>[2] & { readonly branchIndex: number },
  ) {
    super(route, msg, options);
    this.branchIndex = options.branchIndex;
  }
}

/**
 * Takes a response from a branch. It waits while an onreply handler is at work on one before it and, when it is to meet such a handler, until the
 * request's own has ended: messages of a transaction are handled in the order in which they came.
 */
export function takeResponse(tm: Tm, branch: Branch, response: SipResponse): void {
  const { transaction } = branch;
  const waits = transaction.handling && transaction.onReply !== null;
  if (transaction.queue === null && !waits) {
    const run = handle(tm, branch, response);
    if (run === null) return;
    transaction.queue = new ResponseQueue(tm, branch);
    transaction.queue.drain(run);
    return;
  }
  transaction.queue ??= new ResponseQueue(tm, branch);
  if (!transaction.queue.push({ branch, response }))
    tm.log.warn('response dropped: too many wait for an onreply handler', { callId: response.callId });
}

/** Runs the onreply handler, if one is armed, then sends the response on its way. Null when all is done. */
function handle(tm: Tm, branch: Branch, response: SipResponse): Promise<void> | null {
  const { transaction } = branch;
  const name = transaction.onReply;
  if (name === null || transaction.isReleased) {
    deliver(branch, response);
    return null;
  }
  const scope = new BranchScope('onreply', response, {
    request: transaction.request,
    response,
    avps: transaction.avps,
    transaction,
    branchIndex: branch.index,
  });
  const after = () => {
    if (!scope.dropped || response.status >= 200) deliver(branch, response);
  };
  const run = tm.core.handlers.run(scope, name);
  if (run instanceof Promise) return run.then(after);
  after();
  return null;
}

/** Why the other branches of a call that was answered are cancelled (RFC 3326). */
const ANSWERED_ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';

/** Sends a response of a branch on its way: what has met the onreply handler. */
function deliver(branch: Branch, response: SipResponse): void {
  const { transaction } = branch;
  const { status } = response;
  if (status >= 300) return transaction.branchEnded(branch);
  if (status >= 200) {
    if (transaction.invite || transaction.finalStatus === 0) transaction.forward(response);
    transaction.cancelBranches(ANSWERED_ELSEWHERE);
    return;
  }
  // RFC 4320 4.1: no provisional response but 100 to anything but INVITE; 100 is hop by hop.
  if (status > 100 && transaction.invite && transaction.finalStatus === 0) transaction.forward(response);
}

interface Waiting {
  readonly branch: Branch;
  readonly response: SipResponse;
}

/** Responses of one transaction that wait. */
export class ResponseQueue {
  readonly #tm: Tm;
  readonly #transaction: Branch['transaction'];
  readonly #waiting: Waiting[] = [];
  #draining = false;

  constructor(tm: Tm, { transaction }: Branch) {
    this.#tm = tm;
    this.#transaction = transaction;
  }

  /** False when there is no room. */
  push(waiting: Waiting): boolean {
    if (this.#waiting.length >= MAX_WAITING_RESPONSES && !this.#isFirstFinal(waiting)) return false;
    this.#waiting.push(waiting);
    return true;
  }

  #isFirstFinal({ branch, response }: Waiting): boolean {
    return (
      response.status >= 200 &&
      !this.#waiting.some((each) => each.branch === branch && each.response.status >= 200)
    );
  }

  /** Handles what waits, once `first` is done; nothing when that is under way. */
  drain(first: Promise<void> | null): void {
    if (!this.#draining) void this.#run(first);
  }

  async #run(first: Promise<void> | null): Promise<void> {
    this.#draining = true;
    if (first !== null) await first;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const run = handle(this.#tm, next.branch, next.response);
      if (run !== null) await run;
    }
    this.#transaction.queue = null;
    this.#transaction.settle();
  }
}
