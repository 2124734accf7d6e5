import {
  type Fitting,
  type Resolution,
  routeLinesOf,
  type Scope,
  type SipRequest,
} from '../../core/index.ts';
import { type Attempt, Branch } from './branch.ts';
import { BranchScope } from './response-queue.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/** Why a branch could not be made. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** What became of a branch: it is under way or the request was cancelled (true), the request has its answer (false), or why there is none. */
export type Launched = boolean | Refusal;

export function isRefusal(result: Launched): result is Refusal {
  return typeof result === 'object';
}

/** One branch to make. */
export interface Launch {
  readonly scope: Scope;
  /** The request in hand, or a copy for this branch alone. */
  readonly request: SipRequest;
  readonly index: number;
  /** Of a request that goes to several places: what tells loops, and the branch's share of Max-Breadth. */
  readonly fork: { readonly loop: string; readonly breadth: number } | null;
}

/** Makes a branch: runs the branch handler, finds the next hop, sends the request (RFC 3261 16.6). */
export function launch(tm: Tm, transaction: Transaction, options: Launch): Launched | Promise<Launched> {
  const name = transaction.onBranch;
  if (name === null) return resolve(tm, transaction, options);
  const copy = options.request === transaction.request ? options.request.fork() : options.request;
  const scope = new BranchScope('branch', copy, {
    request: copy,
    response: null,
    avps: transaction.avps,
    transaction,
    branchIndex: options.index,
  });
  const after = (): Launched | Promise<Launched> =>
    scope.dropped
      ? { status: 500, reason: 'the branch handler dropped the branch' }
      : resolve(tm, transaction, { ...options, request: copy });
  const run = tm.core.handlers.run(scope, name);
  return run instanceof Promise ? run.then(after) : after();
}

function resolve(tm: Tm, transaction: Transaction, options: Launch): Launched | Promise<Launched> {
  const resolution = tm.core.forwarding.resolve(options.request);
  return resolution instanceof Promise
    ? resolution.then((found) => send(tm, transaction, { options, found }))
    : send(tm, transaction, { options, found: resolution });
}

function send(
  tm: Tm,
  transaction: Transaction,
  { options, found }: { readonly options: Launch; readonly found: Resolution },
): Launched {
  const { scope, request, index, fork } = options;
  if (transaction.finalStatus !== 0) return false;
  if (transaction.canceled) {
    // While the next hop was looked up or a branch handler waited: the end of the handler answers 487, or t_relay if that is past.
    scope.settled = false;
    return true;
  }
  if (transaction.declined) return true; // another branch's 6xx meanwhile: it is the answer
  if (!found.ok) return found;
  const id = fork === null ? tm.newBranchId() : tm.newBranchId() + fork.loop;
  const { uri, edits } = request;
  const [first, otherwise] = tm.core.forwarding.printFitting(request, {
    branch: id,
    target: found.target,
    uri,
    edits,
    maxBreadth: fork?.breadth,
  });
  const routes = routeLinesOf(request, edits);
  const branch = new Branch(tm, transaction, {
    id,
    index,
    breadth: fork?.breadth ?? null,
    request,
    first: attemptOf(first, uri, routes),
    otherwise: otherwise === undefined ? null : attemptOf(otherwise, uri, routes),
  });
  transaction.branches.push(branch);
  branch.start();
  return true;
}

function attemptOf(
  { printed: { bytes, via, point }, target }: Fitting,
  uri: string,
  routes: string,
): Attempt {
  return { bytes, target: { ...target, point }, sent: { uri, via, routes } };
}
