import { METHODS } from '../sip/methods.ts';

/** First digits that a status can have; those that mean something are 1 to 6. */
const CLASSES = 10;

/** What the ingress counted since the start. */
export interface IngressCounters {
  requests: number;
  responses: number;
  /** Malformed messages, answered or dropped. */
  rejected: number;
  /** Requests answered with 503 because there was no room. */
  refused: number;
  /** Responses that belong to no transaction, or are not for this proxy. */
  stray: number;
  /** Requests by the slot of their method: `METHOD_LABELS` names it. */
  readonly byMethod: number[];
  /** Responses by the first digit of their status. */
  readonly byClass: number[];
}

/** Names of the slots of `methodSlot`: whatever methods are made up by those who send them, there are no more. */
export const METHOD_LABELS: readonly string[] = [...METHODS, 'other'];

/** Returns counters that stand at 0. */
export function newIngressCounters(): IngressCounters {
  return {
    requests: 0,
    responses: 0,
    rejected: 0,
    refused: 0,
    stray: 0,
    byMethod: METHOD_LABELS.map(() => 0),
    byClass: Array.from({ length: CLASSES }, () => 0),
  };
}

/** Where a method is counted. */
export function methodSlot(method: string): number {
  const known: readonly string[] = METHODS;
  const slot = known.indexOf(method);
  return slot === -1 ? METHODS.length : slot;
}
