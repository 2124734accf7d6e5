import {
  type Call,
  errors,
  Header,
  incomingMaxBreadth,
  parseNameAddr,
  reasonPhrase,
  type Scope,
  type SipRequest,
} from '../../core/index.ts';
import { type Destination, MAX_BRANCHES } from './destinations.ts';
import { isRefusal, launch, type Launched, type Refusal } from './launch.ts';
import { goesInCircles, hasLooped, loopPart } from './loop-detection.ts';
import { GIVEN_UP } from './outcome.ts';
import { relayCancel } from './relay-cancel.ts';
import type { Tm } from './tm-layer.ts';
import { Transaction } from './transaction.ts';

/**
 * Sends the request in hand on, with a transaction (RFC 3261 16.6): the work of `t_relay`. It goes to its Request-URI and to all destinations that
 * were appended. An ACK goes on without a transaction; a CANCEL ends the INVITE that it means, or goes on without state when that is not here (16.10).
 *
 * @param proxy next hop of all of it, whatever else is set (t_relay_to); null: as the request says.
 * @returns false when the request could not be sent: it has been answered then, or will be by the end of the failure handler.
 * @throws ERR_TM_BRANCHES.
 */
export function relay(
  { state: tm, scope, msg: request }: Call<Tm, SipRequest>,
  proxy: string | null = null,
): boolean | Promise<boolean> {
  const { transaction } = scope;
  if (transaction instanceof Transaction && transaction.canceled) return true; // the handler's end answers 487
  scope.settled = true;
  const main = proxy === null ? request : goingTo(request, { uri: request.uri, nextHop: proxy });
  if (!(transaction instanceof Transaction)) return tm.core.forwarding.forwardStateless(main);
  if (request.method === 'CANCEL') return relayCancel(tm, transaction, main);
  if (transaction.finalStatus === GIVEN_UP) tm.warnGivenUp(transaction);
  if (transaction.finalStatus !== 0) return false;
  if (transaction.declined) {
    // RFC 3261 16.7 step 5
    tm.log.info('no branch is made after a 6xx', { callId: request.callId });
    return false;
  }
  if (transaction.invite && transaction.policy.trying) transaction.sendTrying();
  const taken = transaction.targets.take(request);
  const copies =
    taken?.map((each) => goingTo(request, proxy === null ? each : { ...each, nextHop: proxy })) ?? null;
  transaction.targets.mainUsed(request);
  const count = copies?.length ?? 1;
  if (count + transaction.branchCount === 1) {
    // Most requests go to one place: nothing is split, and no branch says what tells loops (RFC 5393 4.1).
    if (goesInCircles(tm, request)) return refuse(tm, transaction, refusal(482));
    const only = copies?.[0] ?? main;
    const result = launch(tm, transaction, {
      scope,
      request: only,
      index: newIndex(transaction),
      fork: null,
    });
    return relaying(tm, transaction, result instanceof Promise ? result.then((one) => [one]) : [result]);
  }
  return fork(tm, transaction, { scope, copies: copies ?? [main] });
}

/** Sends a request to several places, or to a further one (RFC 5393 4.2, 5.3.3). */
function fork(
  tm: Tm,
  transaction: Transaction,
  { scope, copies }: { readonly scope: Scope; readonly copies: readonly SipRequest[] },
): boolean | Promise<boolean> {
  const { request, branchCount } = transaction;
  if (branchCount + copies.length > MAX_BRANCHES)
    throw errors.ERR_TM_BRANCHES('t_relay', MAX_BRANCHES, branchCount + copies.length);
  const loop = loopPart(tm.loopName, request);
  if (hasLooped(request, loop)) return refuse(tm, transaction, refusal(482));
  const free = freeBreadth(transaction, request);
  if (free < copies.length) return refuse(tm, transaction, refusal(440));
  const share = Math.floor(free / copies.length);
  const rest = free % copies.length;
  transaction.roundStart = branchCount;
  const results = copies.map((copy, i) =>
    launch(tm, transaction, {
      scope,
      request: copy,
      index: newIndex(transaction),
      fork: { loop, breadth: i < rest ? share + 1 : share },
    }),
  );
  if (results.every(isReady)) return relaying(tm, transaction, results);
  return relaying(tm, transaction, Promise.all(results.map((result) => Promise.resolve(result))));
}

function isReady(result: Launched | Promise<Launched>): result is Launched {
  return !(result instanceof Promise);
}

function newIndex(transaction: Transaction): number {
  transaction.branchCount += 1;
  return transaction.branchCount - 1;
}

/** Max-Breadth that no branch under way has in use; final responses give it back (RFC 5393 5.3.3.1). */
function freeBreadth({ branches }: Transaction, request: SipRequest): number {
  const incoming = incomingMaxBreadth(request);
  let used = 0;
  for (const { outcome, breadth } of branches) if (outcome === null) used += breadth ?? incoming;
  return incoming - used;
}

/** A copy of a request with a destination of its own. */
function goingTo(
  request: SipRequest,
  {
    uri,
    nextHop,
    path = null,
    sendSocket = null,
  }: Pick<Destination, 'uri' | 'nextHop'> & Partial<Destination>,
): SipRequest {
  const copy = request.fork();
  // The request's own destination keeps the flow that its Route asks for.
  if (uri !== request.uri || nextHop !== request.nextHop) copy.nextHop = nextHop;
  copy.uri = uri;
  if (path !== null) putOnPath(copy, path);
  if (sendSocket !== null) copy.outPoint = sendSocket;
  return copy;
}

/** Puts Routes in front of a request's own; without another next hop it goes to the first of them. */
function putOnPath(request: SipRequest, path: string): void {
  const first = request.find(Header.route);
  request.edits.insert(first < 0 ? request.headersEnd : request.headerStart(first), `Route: ${path}\r\n`);
  const top = parseNameAddr(path);
  if (request.nextHop === null && top.ok) request.nextHop = top.value.uriText;
}

/** Marks the transaction as long as its request is on its way out: the handler's end leaves it alone then. */
function relaying(
  tm: Tm,
  transaction: Transaction,
  results: readonly Launched[] | Promise<readonly Launched[]>,
): boolean | Promise<boolean> {
  if (!(results instanceof Promise)) return launchedAll(tm, transaction, results);
  transaction.relaying += 1;
  return results
    .finally(() => {
      transaction.relaying -= 1;
    })
    .then((all) => {
      const sent = launchedAll(tm, transaction, all);
      transaction.settle();
      return sent;
    });
}

/** True when a branch was made, or the request was cancelled meanwhile. When none could be, the request gets the first reason why. */
function launchedAll(tm: Tm, transaction: Transaction, results: readonly Launched[]): boolean {
  if (results.includes(true)) return true;
  const reason = results.find(isRefusal);
  return reason !== undefined && refuse(tm, transaction, reason);
}

function refusal(status: number): Refusal {
  return { status, reason: reasonPhrase(status) };
}

function refuse(tm: Tm, transaction: Transaction, { status, reason }: Refusal): false {
  if (transaction.finalStatus === 0) {
    tm.log.info('request cannot be relayed', { callId: transaction.request.callId, status, reason });
    transaction.reply(status, status === 478 ? 'Unresolvable destination' : reasonPhrase(status));
  }
  return false;
}
