import type { SipResponse } from '../../core/index.ts';

/** What a branch came to: a final response, or the status that stands for the lack of one (408, 503; RFC 3261 16.7, 16.9). */
export interface Outcome {
  readonly status: number;
  readonly response: SipResponse | null;
}

/** Final status of a request that gets no answer from here. */
export const GIVEN_UP = -1;

const withoutResponse = new Map<number, Outcome>();

/** The outcome with this status and no response: one object for all, since transactions that wait keep it. */
export function outcomeWithout(status: number): Outcome {
  const known = withoutResponse.get(status);
  if (known !== undefined) return known;
  const outcome: Outcome = Object.freeze({ status, response: null });
  withoutResponse.set(status, outcome);
  return outcome;
}
