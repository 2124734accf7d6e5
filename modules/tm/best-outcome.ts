import type { Branch, Outcome } from './branch.ts';

/** Within the 4xx, what tells the client how to try again goes first (RFC 3261 16.7 step 6). */
const TELLING: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

/** Lower is better: 6xx before all, then the lowest class; within a class what tells more. */
function rank({ status, response }: Outcome): number {
  if (status >= 600) return 0;
  const unheard = response === null ? 2 : 0; // a response that came goes before one that stands for silence
  return Math.floor(status / 100) * 10 + (TELLING.has(status) ? 0 : 1) + unheard;
}

/** The outcome to answer with once every branch has one (RFC 3261 16.7 step 6). Of equals, the first branch's. */
export function bestOutcome(branches: readonly Branch[]): Outcome {
  let best: Outcome | null = null;
  for (const { outcome } of branches) {
    if (outcome !== null && (best === null || rank(outcome) < rank(best))) best = outcome;
  }
  return best ?? { status: 408, response: null };
}
