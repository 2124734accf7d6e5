import type { Outgoing, Target } from '../../core/index.ts';
import type { Branch } from './branch.ts';

/** A request as it goes out: to a target, with what its ACK and CANCEL need. */
export interface Attempt {
  readonly bytes: Buffer;
  readonly target: Target;
  readonly sent: Outgoing;
}

/** Where else a branch may go when its target fails (RFC 3263 4.3). */
export interface Failover {
  /** Puts a branch to the next target in the place of one that failed. False: there is none. */
  replace(failed: Branch, why: string): boolean;
}
