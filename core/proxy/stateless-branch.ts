import { hasMagicCookie, MAGIC_COOKIE } from '../sip/magic-cookie.ts';
import type { SipRequest } from '../sip/message.ts';

/** What the branches of requests that were forwarded without state begin with; a transaction layer begins its own otherwise. */
const STATELESS = `${MAGIC_COOKIE}s`;

/** Two 32-bit multiplicative hashes over the chars (constants: primes of MurmurHash3 and xxHash), joined. */
function fingerprint(text: string): string {
  let a = 0x9e3779b1;
  let b = 0x85ebca77;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0xcc9e2d51);
    b = Math.imul(b ^ code, 0x1b873593);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

/**
 * The branch of a request that is forwarded without state: the same for a retransmission, for the same target, and for a CANCEL or ACK of it
 * (RFC 3261 16.11).
 */
export function statelessBranch(request: SipRequest, targetUri: string): string {
  const via = request.topVia;
  const identity = hasMagicCookie(via.branch)
    ? `${via.branch}|${via.host}|${via.port}`
    : `${request.text.slice(via.start, via.end)}|${request.toTag}|${request.fromTag}|${request.callId}|${request.cseq.number}|${request.originalUri}`;
  return `${STATELESS}${fingerprint(`${identity}|${targetUri}`)}`;
}

/** Whether a branch parameter is one that `statelessBranch` could have made. */
export function isStatelessBranch(branch: string): boolean {
  return branch.startsWith(STATELESS);
}
