import { Header } from '../sip/header-names.ts';
import type { SipRequest } from '../sip/message.ts';

const SPACE = 0x20;
const LETTER_A = 0x41;
const LETTER_C = 0x43;
const LETTER_K = 0x4b;

/**
 * The To tags of replies that are sent without state. All begin with a mark that no one could guess before he got such a reply (RFC 3261 19.3), so that the
 * ACK of a reply is known without reading more of it, as in Kamailio. Behind it stands a hash of what a request shares with its retransmissions.
 */
export class StatelessTags {
  readonly #mark: string;
  readonly #markBytes: Buffer;

  /** `mark`: random, a token. */
  constructor(mark: string) {
    this.#mark = mark;
    this.#markBytes = Buffer.from(mark, 'latin1');
  }

  /** The tag for replies to a request with this `attemptHash`: for its retransmissions the same (RFC 3261 8.2.7). */
  of(hash: number): string {
    return `${this.#mark}${hash}`; // `-` may stand in a token
  }

  /** Whether a message is the ACK of a reply sent from here without state: it ends here (RFC 3261 8.2.7). */
  isAck(message: Buffer): boolean {
    let start = 0;
    // Line ends may stand before the start line (RFC 3261 7.5).
    while (message[start] === 0x0d || message[start] === 0x0a) start++;
    return isAckAt(message, start) && message.includes(this.#markBytes, start);
  }
}

/** Whether `ACK ` stands there: what the start line of an ACK begins with, in any message that parses. */
function isAckAt(message: Buffer, at: number): boolean {
  return (
    message[at] === LETTER_A &&
    message[at + 1] === LETTER_C &&
    message[at + 2] === LETTER_K &&
    message[at + 3] === SPACE
  );
}

/**
 * A hash, 32 bits with a sign, of what a request, also a malformed one, shares with its retransmissions and with no further attempt of its client
 * (RFC 3261 8.1.3.5).
 */
export function attemptHash(request: SipRequest): number {
  const cseq = request.parsedCSeq();
  let hash = cseq.ok ? cseq.value.number : 0; // an ACK has another method
  for (const id of [Header.from, Header.callId]) {
    const i = request.find(id);
    if (i !== -1) hash = folded(hash, request.bytes, request.valueStart(i), request.valueEnd(i));
  }
  const via = request.parsedTopVia(); // an ACK has no others
  return via.ok ? folded(hash, request.bytes, via.value.start, via.value.end) : hash;
}

/** Works bytes [start, end) and their end into a hash (FNV-1a). */
function folded(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let folding = hash;
  for (let i = start; i < end; i++) folding = Math.imul(folding ^ bytes[i]!, 0x01000193);
  return Math.imul(folding ^ 0xff, 0x01000193);
}
