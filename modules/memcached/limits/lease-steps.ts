import type { HeldLease } from './held-leases.ts';
import { dropFork, dropLease, extendLease, type LeaseSet, lengthenLease } from './lease-set.ts';

/** What is asked of a limit. `id` is the stored one. */
export type LeaseStep =
  | {
      readonly kind: 'acquire';
      readonly id: string;
      readonly fork: string;
      readonly max: number;
      readonly ttlMs: number;
    }
  /** Makes no lease: a request within a call that is over, or never was, must not take a place. */
  | { readonly kind: 'renew'; readonly id: string; readonly ttlMs: number }
  | ReleaseStep
  /** Counts, and puts back what the store has lost. */
  | { readonly kind: 'count' };

/** `fork` null: of all forks. `ifUnused`: not when this process holds the lease for that fork, or has just been asked for it. */
export interface ReleaseStep {
  readonly kind: 'release';
  readonly id: string;
  readonly fork: string | null;
  readonly ifUnused?: true;
}

/** What a step came to, with the number of leases after it. */
export interface StepResult {
  /** Whether it was granted; of a release or a renewal, whether the lease was there. */
  readonly done: boolean;
  /** Whether it made a lease, or a fork of one, that was not there. */
  readonly created: boolean;
  /** Whether the call has a lease now. */
  readonly held: boolean;
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
 * lease that this very value has had before and has no more was released elsewhere: it is not put back. One that it still has and that lasts longer
 * here was renewed while the store did not answer.
 */
export function applySteps(
  set: LeaseSet,
  steps: readonly LeaseStep[],
  { nowMs, held }: { readonly nowMs: number; readonly held: ReadonlyMap<string, HeldLease> },
): Stepped {
  // What has ended needs no write of its own: every reader drops it.
  for (const [id, { endMs }] of set.leases) if (endMs <= nowMs) dropLease(set, id);
  const gone: string[] = [];
  let changed = false;
  for (const [id, { endMs, generation, forks }] of held) {
    if (generation !== set.generation) {
      for (const fork of forks) if (extendLease(set, id, fork, endMs)) changed = true;
    } else if (!set.leases.has(id)) gone.push(id);
    else if (lengthenLease(set, id, endMs)) changed = true;
  }
  const results = steps.map((step, index) => {
    const before = set.entries;
    const done = !isUsed(step, { steps, index, held }) && applyStep(set, step, nowMs);
    if (done && step.kind !== 'count') changed = true;
    const isHeld = step.kind !== 'count' && set.leases.has(step.id);
    return { done, created: set.entries > before, held: isHeld, active: set.leases.size };
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
  const { id, fork } = step;
  if (held.get(id)?.forks.some((each) => fork === null || each === fork) === true) return true;
  const isAsked = (other: LeaseStep): boolean =>
    other.kind === 'acquire' && other.id === id && (fork === null || other.fork === fork);
  return steps.slice(0, index).some(isAsked);
}

function applyStep(set: LeaseSet, step: LeaseStep, nowMs: number): boolean {
  const { leases } = set;
  switch (step.kind) {
    case 'acquire':
      if (!leases.has(step.id) && leases.size >= step.max) return false;
      extendLease(set, step.id, step.fork, nowMs + step.ttlMs);
      return leases.has(step.id);
    case 'renew':
      lengthenLease(set, step.id, nowMs + step.ttlMs);
      return leases.has(step.id);
    case 'release':
      return step.fork === null ? dropLease(set, step.id) : dropFork(set, step.id, step.fork);
    case 'count':
      break;
  }
  return true;
}
