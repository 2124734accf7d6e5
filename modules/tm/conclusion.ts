import { reasonPhrase } from '../../core/index.ts';
import { bestBranch } from './best-outcome.ts';
import type { Outcome } from './outcome.ts';
import { addChallenges } from './challenges.ts';
import { BranchScope } from './response-queue.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/**
 * Ends a request whose branches are all done, or that was cancelled before it had one: runs the failure handler, then sends the answer
 * (RFC 3261 16.7 step 6). The failure handler may make new branches instead.
 */
export function conclude(tm: Tm, transaction: Transaction): void {
  const { branches } = transaction;
  // A 2xx that an onreply handler still has in hand is the answer.
  if (branches.some(({ outcome }) => outcome !== null && outcome.status < 300)) return;
  const best = bestBranch(branches);
  const name = transaction.onFailure;
  if (name === null) return answer(transaction, best?.outcome ?? noOutcome(transaction));
  transaction.onFailure = null;
  // As in Kamailio: what a failure handler changes is for the branches that it makes, not for those of the next one.
  const request = transaction.request.fork();
  transaction.targets.mainUsed(request);
  const scope = new BranchScope('failure', request, {
    request,
    response: best?.outcome.response ?? null,
    avps: transaction.avps,
    transaction,
    branchIndex: best?.index ?? -1,
  });
  transaction.handling = true;
  const before = transaction.branchCount;
  const after = () => {
    transaction.handlerEnded();
    // Responses that waited for its end may have brought on the next failure handler.
    if (transaction.finalStatus !== 0 || transaction.handling || transaction.pending) return;
    if (transaction.branchCount > before) return conclude(tm, transaction);
    answer(transaction, bestBranch(branches)?.outcome ?? noOutcome(transaction));
  };
  const run = tm.core.handlers.run(scope, name);
  if (run instanceof Promise) void run.then(after);
  else after();
}

/** Ends a request that has no answer, for a proxy that stops: what rings is cancelled, the failure handler runs, and may not try anyone else. */
export function giveUp(transaction: Transaction): void {
  transaction.declined = true;
  if (transaction.branches.length === 0) transaction.reply(503, reasonPhrase(503));
  for (const branch of transaction.branches) {
    branch.cancel();
    branch.timedOut();
  }
}

/** What stands for an outcome where no branch has one: a call cancelled before it went anywhere, or all replies dropped. */
function noOutcome({ branches }: Transaction): Outcome {
  return { status: branches.length === 0 ? 487 : 500, response: null };
}

/** Sends the outcome that was chosen. */
function answer(transaction: Transaction, { status, response }: Outcome): void {
  if (status === 408 && !transaction.invite) {
    transaction.abandon(status); // RFC 4320 4.2: a 408 to anything but INVITE helps nobody
  } else if (response === null || status === 503) {
    // 16.7 step 6: a 503 is about the next hop and not about this proxy
    const own = status === 503 ? 500 : status;
    transaction.reply(own, reasonPhrase(own));
  } else {
    addChallenges(response, transaction.branches);
    transaction.forward(response);
  }
}
