import type { Malformed } from './result.ts';
import { SipRequest } from './sip-request.ts';
import type { SipResponse } from './sip-response.ts';

/** Why a message cannot be taken, with the reply it deserves; `status` null: drop it (RFC 3261 16.3, 18.3). */
export interface Rejected extends Malformed {
  readonly status: 400 | 413 | 416 | 505 | null;
  readonly msg: SipRequest | SipResponse | null;
}

/**
 * Rejects a message with the status it deserves if it can be answered at all: a response never is, nor an ACK (RFC 3261 17.1.1.3), nor a
 * request whose top Via does not say where a reply would go.
 */
export function reject(
  msg: SipRequest | SipResponse | null,
  status: 400 | 413 | 416 | 505,
  { reason, at }: Malformed,
): Rejected {
  const canAnswer = msg instanceof SipRequest && msg.method !== 'ACK' && msg.parsedTopVia().ok;
  return { ok: false, reason, at, status: canAnswer ? status : null, msg };
}
