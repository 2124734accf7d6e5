import { flatText, hasMagicCookie, parseMessage, type SipRequest, type Via } from '../../core/index.ts';

function sentBy(via: Via): string {
  return `${via.host.toLowerCase()}:${via.port ?? (via.transport === 'TLS' ? 5061 : 5060)}`;
}

/**
 * Key of the server transaction a request belongs to (RFC 3261 17.2.3): top Via's branch and sent-by, and the method, INVITE for an ACK.
 * `method` asks for another transaction of the same client: the INVITE that a CANCEL means (9.2).
 */
export function serverKey(request: SipRequest, method: string = request.method): string {
  const via = request.topVia;
  const matched = method === 'ACK' ? 'INVITE' : method;
  if (hasMagicCookie(via.branch)) return flatText(`${via.branch}|${sentBy(via)}|${matched}`);
  // RFC 2543 clients: no branch to go by, so the parts of the request that a retransmission, ACK and CANCEL share.
  const topVia = request.text.slice(via.start, via.end);
  return flatText(
    `${request.originalUri}|${request.callId}|${request.fromTag}|${request.cseq.number}|${topVia}|${matched}`,
  );
}

/** A hash, 32 bits with a sign and never 0, of what requests with the same `serverKey` share; `seed` is a secret, so that no one can choose requests whose hashes are the same. */
export function serverHash(request: SipRequest, seed: number): number {
  const { branch } = request.topVia;
  const text = hasMagicCookie(branch) ? branch : request.callId;
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash ^= hash >>> 13;
  return hash === 0 ? 1 : hash;
}

/**
 * Whether an ACK with the key of an INVITE is for this final reply to it, and not for a 2xx that came later: where no branch says so, the To tag does (17.2.3).
 * A reply that is not kept any more, null, has been acknowledged before.
 */
export function isAckOf(ack: SipRequest, reply: Buffer | null): boolean {
  if (reply === null || hasMagicCookie(ack.topVia.branch)) return true;
  const parsed = parseMessage(reply, ack.received);
  const to = parsed.ok ? parsed.msg.parsedTo() : null;
  return to?.ok !== true || (to.value.tag ?? '') === ack.toTag;
}
