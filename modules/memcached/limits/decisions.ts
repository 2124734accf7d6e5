import type { LimitOutcome } from './outcome.ts';

/** How often a limit came to each decision; `down`: nobody could tell, and the routes wanted it so. */
export type Decisions = Record<LimitOutcome['status'], number>;

/** Decisions of each function that limits something. */
export type LimitCounters = Readonly<Record<'acquire' | 'distinct' | 'rate', Decisions>>;

function zero(): Decisions {
  return { allowed: 0, exceeded: 0, down: 0 };
}

/** Returns counters that stand at 0. */
export function newLimitCounters(): LimitCounters {
  return { acquire: zero(), distinct: zero(), rate: zero() };
}
