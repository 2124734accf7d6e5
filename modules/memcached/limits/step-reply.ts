import type { StepResult } from './lease-steps.ts';

/** What became of a step. */
export type StepReply = ({ readonly kind: 'done' } & StepResult) | StepBusy | StepDown;

/** A step whose time has ended though the store answers: so many change the limit. */
interface StepBusy {
  readonly kind: 'busy';
  /** Leases of the limit when it was last read. */
  readonly active: number;
}

/** A step without an answer. */
interface StepDown {
  readonly kind: 'down';
  readonly reason: string;
  /** Whether a lease may have been made all the same. */
  readonly inDoubt: boolean;
}

export function stepDown(reason: string, inDoubt: boolean): StepDown {
  return { kind: 'down', reason, inDoubt };
}

/** Whether a step has made a lease, or may have. */
export function mayExist(reply: StepReply): boolean {
  return reply.kind === 'done' ? reply.created : reply.kind === 'down' && reply.inDoubt;
}

/** Why a step has no answer. */
export function reasonOf(reply: StepBusy | StepDown): string {
  return reply.kind === 'busy' ? 'others changed the limit each time' : reply.reason;
}
