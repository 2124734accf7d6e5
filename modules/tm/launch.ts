import type { Resolution, Scope, Target } from '../../core/index.ts';
import { Alternatives } from './alternatives.ts';
import { newBranch, type Start } from './branch-start.ts';
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
export interface Launch extends Pick<Start, 'request' | 'index' | 'fork'> {
  readonly scope: Scope;
}

/** Makes a branch: runs the branch handler, finds the next hop, sends the request (RFC 3261 16.6). */
export function launch(tm: Tm, transaction: Transaction, options: Launch): Launched | Promise<Launched> {
  const name = transaction.onBranch;
  if (name === null) return resolve(tm, transaction, options);
  const copy = options.request === options.scope.request ? options.request.fork() : options.request;
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
  const { scope } = options;
  if (transaction.finalStatus !== 0) return false;
  if (transaction.canceled) {
    // While the next hop was looked up or a branch handler waited: the end of the handler answers 487, or t_relay if that is past.
    scope.settled = false;
    return true;
  }
  if (transaction.declined) return true; // another branch's 6xx meanwhile: it is the answer
  if (!found.ok) return found;
  const { index, fork } = options;
  const { target, alternatives, rewritten: request = options.request } = found;
  const branch = newBranch(tm, transaction, {
    request,
    index,
    fork,
    target,
    failover:
      alternatives === undefined || transaction.policy.maxFailovers === 0
        ? null
        : failoverOf(tm, transaction, { scope, request, index, fork, targets: alternatives }),
  });
  transaction.addBranch(branch);
  branch.start();
  return true;
}

/** What the branch sends later must be what it sent first: the request in hand may be changed by then. */
function failoverOf(
  tm: Tm,
  transaction: Transaction,
  { scope, request, index, fork, targets }: Launch & { readonly targets: readonly Target[] },
): Alternatives {
  const copy = request === scope.request ? request.fork() : request;
  return new Alternatives(tm, transaction, { start: { request: copy, index, fork }, targets });
}
