import type { Branch } from './branch.ts';
import type { Outcome } from './outcome.ts';

/** A branch that has come to its end. */
type Ended = Branch & { readonly outcome: Outcome };

/** Within the 4xx, what tells the client how to try again goes first (RFC 3261 16.7 step 6). */
const TELLING: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

/** Lower is better: 6xx before all, then the lowest class; within a class what tells more. */
function rank({ outcome: { status, response }, transaction }: Ended): number {
  if (status >= 600 && transaction.policy.endsBy6xx) return 0;
  const unheard = response === null ? 2 : 0; // a response that came goes before one that stands for silence
  const unwanted = status === 503 ? 4 : 0; // it speaks of the next hop, and would go on as a 500
  return Math.floor(status / 100) * 10 + (TELLING.has(status) ? 0 : 1) + unheard + unwanted;
}

/**
 * The branch whose outcome is the answer once every branch has one (RFC 3261 16.7 step 6). Of equals, the first; null: there is none, but for
 * those that t_drop_replies has taken out.
 */
export function bestBranch(branches: readonly Branch[]): Ended | null {
  let best: Ended | null = null;
  for (const branch of branches) {
    if (!hasOutcome(branch) || branch.dropped) continue;
    if (best === null || rank(branch) < rank(best)) best = branch;
  }
  return best;
}

function hasOutcome(branch: Branch): branch is Ended {
  return branch.outcome !== null;
}
