import type { HeldLease } from './held-leases.ts';
import { type LeaseSet, MAX_STORED_LEASES } from './lease-set.ts';

/** What is asked of a limit. `id` is the stored one. */
export type LeaseStep =
  | { readonly kind: 'acquire'; readonly id: string; readonly max: number; readonly ttlMs: number }
  | { readonly kind: 'renew'; readonly id: string; readonly ttlMs: number }
  /** `ifUnused`: not when this process holds the lease, or has just been asked for it. */
  | { readonly kind: 'release'; readonly id: string; readonly ifUnused?: true }
  /** Counts, and puts back what the store has lost. */
  | { readonly kind: 'count' };

/** What a step came to, with the number of leases after it. */
export interface StepResult {
  /** Whether it was granted; of a release, whether the lease was there. */
  readonly done: boolean;
  /** Whether it made a lease that was not there. */
  readonly created: boolean;
  readonly active: number;
}

/** A set after some steps. */
export interface Stepped {
  /** Whether it has to be stored. */
  readonly changed: boolean;
  readonly results: readonly StepResult[];
  /** Leases that this process holds and others have released. */
  readonly gone: readonly string[];
}

/**
 * Carries out steps on a set, in order, and changes it: drops what has ended, puts back what this process holds and the store has lost. A held
 * lease that this very value has had before and has no more was released elsewhere: it is not put back.
 */
export function applySteps(
  set: LeaseSet,
  steps: readonly LeaseStep[],
  { nowMs, held }: { readonly nowMs: number; readonly held: ReadonlyMap<string, HeldLease> },
): Stepped {
  const { leases } = set;
  // What has ended needs no write of its own: every reader drops it.
  for (const [id, endMs] of leases) if (endMs <= nowMs) leases.delete(id);
  const gone: string[] = [];
  let changed = false;
  for (const [id, { endMs, generation }] of held) {
    const stored = leases.get(id);
    if (stored === undefined && generation === set.generation) gone.push(id);
    else if (generation !== set.generation && (stored ?? 0) < endMs && hasRoom(set, id)) {
      extend(set, id, endMs);
      changed = true;
    }
  }
  const results = steps.map((step, index) => {
    const before = leases.size;
    const done = !isUsed(step, { steps, index, held }) && applyStep(set, step, nowMs);
    if (done && step.kind !== 'count') changed = true;
    return { done, created: leases.size > before, active: leases.size };
  });
  return { changed, results, gone };
}

/** Whether a lease that was to be released if unused is used after all. */
function isUsed(
  step: LeaseStep,
  {
    steps,
    index,
    held,
  }: {
    readonly steps: readonly LeaseStep[];
    readonly index: number;
    readonly held: ReadonlyMap<string, HeldLease>;
  },
): boolean {
  if (step.kind !== 'release' || step.ifUnused !== true) return false;
  const { id } = step;
  return held.has(id) || steps.slice(0, index).some((other) => other.kind === 'acquire' && other.id === id);
}

function applyStep(set: LeaseSet, step: LeaseStep, nowMs: number): boolean {
  const { leases } = set;
  switch (step.kind) {
    case 'acquire':
      if (!leases.has(step.id) && leases.size >= step.max) return false;
      extend(set, step.id, nowMs + step.ttlMs);
      return true;
    case 'renew':
      if (!hasRoom(set, step.id)) return false;
      extend(set, step.id, nowMs + step.ttlMs);
      return true;
    case 'release':
      return leases.delete(step.id);
    case 'count':
      break;
  }
  return true;
}

function hasRoom({ leases }: LeaseSet, id: string): boolean {
  return leases.has(id) || leases.size < MAX_STORED_LEASES;
}

function extend(set: LeaseSet, id: string, endMs: number): void {
  set.leases.set(id, Math.max(endMs, set.leases.get(id) ?? 0));
  set.untilMs = Math.max(set.untilMs, endMs);
}
