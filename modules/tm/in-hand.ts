import type { Scope } from '../../core/index.ts';
import type { Branch } from './branch.ts';
import { BranchScope } from './response-queue.ts';
import { Transaction } from './transaction.ts';

/** The transaction of the message in hand, if it has one. */
export function transactionOf(scope: Scope): Transaction | null {
  return scope.transaction instanceof Transaction ? scope.transaction : null;
}

/** Position of the branch that a branch, onreply or failure handler runs for; null elsewhere, and where the failure is no branch's. */
export function branchIndexOf(scope: Scope): number | null {
  return scope instanceof BranchScope && scope.branchIndex >= 0 ? scope.branchIndex : null;
}

/** The branch that an onreply or failure handler runs for. */
export function branchOf(scope: Scope): Branch | null {
  const index = branchIndexOf(scope);
  return transactionOf(scope)?.branches.find((branch) => branch.index === index) ?? null;
}
