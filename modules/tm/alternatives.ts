import type { Target } from '../../core/index.ts';
import { newBranch, type Start } from './branch-start.ts';
import type { Failover } from './attempt.ts';
import type { Branch } from './branch.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

/**
 * The other servers of a name, for a branch whose target fails (RFC 3263 4.3): each is tried by a branch of its own, with a new branch parameter, which takes the
 * place of the one that failed.
 */
export class Alternatives implements Failover {
  readonly #tm: Tm;
  readonly #transaction: Transaction;
  readonly #start: Omit<Start, 'target' | 'failover'>;
  readonly #targets: readonly Target[];
  #next = 0;

  constructor(
    tm: Tm,
    transaction: Transaction,
    options: { readonly start: Omit<Start, 'target' | 'failover'>; readonly targets: readonly Target[] },
  ) {
    this.#tm = tm;
    this.#transaction = transaction;
    this.#start = options.start;
    this.#targets = options.targets.slice(0, transaction.policy.maxFailovers);
  }

  replace(failed: Branch, why: string): boolean {
    const transaction = this.#transaction;
    const target = this.#targets[this.#next];
    // A caller that does not wait any more needs no further attempt (RFC 4320 4.2).
    if (target === undefined || transaction.remainingMs <= 0) return false;
    if (!transaction.branches.includes(failed)) return false;
    this.#next += 1;
    const { address, port, protocol } = target;
    this.#tm.log.info('a target failed: the next one is tried', {
      callId: this.#start.request.callId,
      why,
      to: `${protocol}:${address}:${port}`,
    });
    const branch = newBranch(this.#tm, transaction, { ...this.#start, target, failover: this });
    transaction.branches = transaction.branches.map((other) => (other === failed ? branch : other));
    branch.start();
    return true;
  }
}
