import type { Scope, SipResponse } from '../../core/index.ts';
import type { Outcome } from './outcome.ts';
import { isSameUri, MAX_BRANCHES, requestUri } from './destinations.ts';
import { transactionOf } from './in-hand.ts';

/** A branch that came to a response. */
interface Answered {
  readonly response: SipResponse;
  /** Taken out of the choice of the answer (RFC 3261 16.7 step 6). */
  dropped: boolean;
}

/** The search for someone who takes a request, as a failure handler finds it. */
export interface Search {
  /** For what a module keeps about this request. */
  readonly transaction: object;
  /** Branches with a final response that may still become the answer. */
  readonly answered: readonly Answered[];
  /** How many further branches the request may have; 0 after a 6xx too. */
  readonly room: number;
  /** Whether a URI has been sent to, or is about to be. */
  isKnown(uri: string): boolean;
  /** Adds a destination, as append_branch does; a byte string. */
  append(uri: string, q: number): void;
}

/** What other modules may do with the transaction of a handler's run. */
export interface TmApi {
  /** Null where the handler has no transaction that may still get a branch. */
  searchOf(scope: Scope): Search | null;
}

/** The search that a failure handler's transaction is in. */
export function searchOf(scope: Scope): Search | null {
  const transaction = transactionOf(scope);
  if (transaction === null || transaction.finalStatus !== 0) return null;
  const { branches, targets, branchCount } = transaction;
  const { destinations } = targets;
  return {
    transaction,
    answered: branches.flatMap((branch) => {
      const response = branch.outcome?.response ?? null;
      return response === null || branch.dropped ? [] : [new AnsweredBranch(branch, response)];
    }),
    room: transaction.declined ? 0 : Math.max(0, MAX_BRANCHES - branchCount - destinations.count),
    isKnown(text) {
      const uri = requestUri(text);
      return (
        destinations.holds(uri) ||
        branches.some((branch) => branch.uri !== null && isSameUri(branch.uri, uri))
      );
    },
    append: (uri, q) =>
      void destinations.append({ uri: requestUri(uri), nextHop: null, q, path: null, sendSocket: null }),
  };
}

class AnsweredBranch implements Answered {
  readonly response: SipResponse;
  readonly #branch: { dropped: boolean; readonly outcome: Outcome | null };

  constructor(branch: { dropped: boolean; readonly outcome: Outcome | null }, response: SipResponse) {
    this.response = response;
    this.#branch = branch;
  }

  get dropped(): boolean {
    return this.#branch.dropped;
  }
  set dropped(value: boolean) {
    this.#branch.dropped = value;
  }
}
