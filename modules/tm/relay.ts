import {
  reasonPhrase,
  type Resolution,
  routeLinesOf,
  type Scope,
  Scope as RouteScope,
  type SipRequest,
} from '../../core/index.ts';
import { Branch } from './branch.ts';
import type { Tm } from './tm-layer.ts';
import { Transaction } from './transaction.ts';

/**
 * Sends the request in hand on, with a transaction (RFC 3261 16.6): the work of `t_relay`. An ACK goes on without one; a CANCEL ends the INVITE that it
 * means, or goes on without state when that is not here (16.10).
 *
 * @returns false when the request could not be sent: it has been answered then.
 */
export function relay(tm: Tm, scope: Scope, request: SipRequest): boolean | Promise<boolean> {
  const { transaction } = scope;
  if (transaction instanceof Transaction && transaction.canceled) return true; // the handler's end answers 487
  scope.settled = true;
  if (!(transaction instanceof Transaction)) return tm.core.forwarding.forwardStateless(request);
  if (request.method === 'CANCEL') return relayCancel(tm, transaction, request);
  if (transaction.finalStatus !== 0) return false;
  if (transaction.invite && tm.autoTrying) transaction.sendTrying();
  const resolution = tm.core.forwarding.resolve(request);
  const sent =
    resolution instanceof Promise
      ? resolution.then((found) => addBranch(tm, transaction, { scope, request, found }))
      : addBranch(tm, transaction, { scope, request, found: resolution });
  return relaying(transaction, sent);
}

/** Marks the transaction as long as its request is on its way out: the handler's end leaves it alone then. */
function relaying(transaction: Transaction, sent: boolean | Promise<boolean>): boolean | Promise<boolean> {
  if (!(sent instanceof Promise)) return sent;
  transaction.relaying = true;
  return sent.finally(() => {
    transaction.relaying = false;
  });
}

function relayCancel(tm: Tm, transaction: Transaction, request: SipRequest): boolean | Promise<boolean> {
  const invited = tm.invited(request);
  if (invited === null) {
    const ended = (sent: boolean): boolean => {
      if (sent) transaction.forget();
      else transaction.reply(481, reasonPhrase(481)); // RFC 3261 9.2
      return sent;
    };
    const sent = tm.core.forwarding.forwardStateless(request);
    return relaying(transaction, sent instanceof Promise ? sent.then(ended) : ended(sent));
  }
  transaction.reply(200, 'canceling');
  invited.cancel(reasonHeaders(request));
  return true;
}

/** The Reason headers of a CANCEL, which go on to the next hop (RFC 3326 2). */
function reasonHeaders(request: SipRequest): string {
  let lines = '';
  for (let i = request.findName('reason'); i !== -1; i = request.findName('reason', i)) {
    lines += `Reason: ${request.value(i)}\r\n`;
  }
  return lines;
}

function addBranch(
  tm: Tm,
  transaction: Transaction,
  {
    scope,
    request,
    found,
  }: { readonly scope: Scope; readonly request: SipRequest; readonly found: Resolution },
): boolean | Promise<boolean> {
  if (transaction.finalStatus !== 0) return false;
  if (!found.ok) {
    tm.log.info('request has no next hop', { callId: request.callId, reason: found.reason });
    transaction.reply(
      found.status,
      found.status === 478 ? 'Unresolvable destination' : reasonPhrase(found.status),
    );
    return false;
  }
  const name = transaction.onBranch;
  if (name === null) return startBranch(tm, transaction, { scope, request, found });
  const copy = request.fork();
  const branchScope = new RouteScope('branch', copy, {
    request: copy,
    response: null,
    avps: transaction.avps,
    transaction,
  });
  const after = (): boolean =>
    !branchScope.dropped &&
    transaction.finalStatus === 0 &&
    startBranch(tm, transaction, { scope, request: copy, found });
  const run = tm.core.handlers.run(branchScope, name);
  return run instanceof Promise ? run.then(after) : after();
}

function startBranch(
  tm: Tm,
  transaction: Transaction,
  {
    scope,
    request,
    found,
  }: {
    readonly scope: Scope;
    readonly request: SipRequest;
    readonly found: Extract<Resolution, { ok: true }>;
  },
): boolean {
  if (transaction.canceled) {
    // While the next hop was looked up or a branch handler waited: the end of the request handler answers 487, or here if that is past.
    scope.settled = false;
    transaction.conclude();
    return true;
  }
  const id = tm.newBranchId();
  const { uri, edits } = request;
  const { bytes, via, point } = tm.core.forwarding.print(request, {
    branch: id,
    target: found.target,
    uri,
    edits,
  });
  const branch = new Branch(tm, transaction, {
    id,
    request,
    target: { ...found.target, point },
    sent: { uri, via, routes: routeLinesOf(request, edits) },
    bytes,
  });
  transaction.branches.push(branch);
  branch.start();
  return true;
}
