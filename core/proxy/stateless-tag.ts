import { hash } from 'node:crypto';
import type { SipRequest } from '../sip/message.ts';
import type { Parsed } from '../sip/result.ts';

/** Length of a To tag, hex digits: 80 bits (RFC 3261 19.3 asks for 32 at least). */
const TAG_LENGTH = 20;

/**
 * The To tag for stateless replies to a request, also to a malformed one: the same for its retransmissions (RFC 3261 8.2.7), and for the ACK of a
 * negative reply, which shares Call-ID, CSeq number, From tag and branch with its INVITE (17.1.1.3). No one without the secret can make one.
 */
export function statelessTag(request: SipRequest, secret: string): string {
  const cseq = valueOf(request.parsedCSeq());
  const parts = [
    secret,
    valueOf(request.parsedCallId()) ?? '',
    cseq === null ? '' : String(cseq.number),
    valueOf(request.parsedFrom())?.tag ?? '',
    valueOf(request.parsedTopVia())?.branch ?? '',
  ];
  // No part can hold a line feed, so no two lists of parts give one text.
  return hash('sha256', parts.join('\n'), 'hex').slice(0, TAG_LENGTH);
}

/** Whether a request is the ACK of a negative reply sent from here without state: it ends here (RFC 3261 8.2.7). */
export function isStatelessAck(request: SipRequest, secret: string): boolean {
  if (request.method !== 'ACK') return false;
  const { toTag } = request;
  return toTag.length === TAG_LENGTH && toTag === statelessTag(request, secret);
}

function valueOf<T>(read: Parsed<T>): T | null {
  return read.ok ? read.value : null;
}
