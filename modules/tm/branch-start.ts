import {
  changedLinesOf,
  type Fitting,
  type Outgoing,
  routeLinesOf,
  type SipRequest,
  type Target,
} from '../../core/index.ts';
import type { Attempt, Failover } from './attempt.ts';
import { Branch } from './branch.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/** A branch to send to one target. */
export interface Start {
  /** The request in hand, or a copy for this branch alone. */
  readonly request: SipRequest;
  readonly index: number;
  /** Of a request that goes to several places: what tells loops, and the branch's share of Max-Breadth. */
  readonly fork: { readonly loop: string; readonly breadth: number } | null;
  readonly target: Target;
  /** Where it may go when the target fails; null: nowhere. */
  readonly failover: Failover | null;
}

/** Makes a branch, with a branch parameter of its own. It is the caller's to start it, once the transaction has it. */
export function newBranch(tm: Tm, transaction: Transaction, start: Start): Branch {
  const { request, index, fork, target, failover } = start;
  const id = fork === null ? tm.newBranchId() : tm.newBranchId() + fork.loop;
  const { uri, edits } = request;
  const [first, otherwise] = tm.core.forwarding.printFitting(request, {
    branch: id,
    target,
    uri,
    edits,
    maxBreadth: fork?.breadth,
  });
  const sent = { uri, routes: routeLinesOf(request, edits), changed: changedLinesOf(request, edits) };
  return new Branch(tm, transaction, {
    id,
    index,
    breadth: fork?.breadth ?? null,
    request,
    first: attemptOf(first, sent),
    otherwise: otherwise === undefined ? null : attemptOf(otherwise, sent),
    failover,
  });
}

function attemptOf(
  { printed: { bytes, via, point }, target }: Fitting,
  { uri, routes, changed }: Omit<Outgoing, 'via'>,
): Attempt {
  return {
    bytes,
    target: target.point === point ? target : { ...target, point },
    sent: { uri, via, routes, changed },
  };
}
