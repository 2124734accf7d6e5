import { contentLength } from './content-length.ts';
import type { Protocol, Received } from './hop.ts';
import { latin1Text } from './latin1.ts';
import { reject, type Rejected } from './rejected.ts';
import { malformed, type Parsed, parsed } from './result.ts';
import { type HeadIndex, scanHead } from './scan.ts';
import type { Frame } from './indexed-message.ts';
import { SipRequest } from './sip-request.ts';
import { SipResponse } from './sip-response.ts';
import { parseStartLine } from './start-line.ts';

export { checkMessage } from './check.ts';
export type { Rejected } from './rejected.ts';
export { MAX_HEADERS } from './scan.ts';
export { type CSeq, SipMessage } from './sip-message.ts';
export { type RouteValue, SipRequest } from './sip-request.ts';
export { SipResponse } from './sip-response.ts';

/** The largest message, in bytes: what a UDP length field can say. */
export const MAX_MESSAGE_BYTES = 65_535;

/**
 * Indexes a datagram. Only framing is looked at: start line, header lines, Content-Length against the body. On failure `msg` is the partly
 * indexed request when a reply can be built from it. CRLFs before the start line are skipped (RFC 3261 7.5).
 */
export function parseMessage(
  datagram: Buffer,
  received: Received,
): { readonly ok: true; readonly msg: SipRequest | SipResponse } | Rejected {
  const isCut = datagram.length > MAX_MESSAGE_BYTES;
  const bytes = withoutLeadingLines(isCut ? datagram.subarray(0, MAX_MESSAGE_BYTES) : datagram);
  if (bytes.length === 0) return reject(null, 400, malformed('nothing but line ends', 0));
  const text = latin1Text(bytes, bytes.length > LARGE_BYTES ? endOfHead(bytes) : bytes.length);
  const index = scanHead(bytes, text);
  const hasTextBody = text.length === bytes.length && text.length - index.bodyStart <= TEXT_BODY_BYTES;
  const line = parseStartLine({ text, bytes }, index.startLineEnd);
  if (!('kind' in line)) return reject(null, 400, line);
  const bodyEnd = isCut ? parsed(datagram.length) : findBodyEnd(bytes, index, received.point.protocol);
  const lastByte = bodyEnd.ok ? Math.min(bodyEnd.value, bytes.length) : bytes.length;
  const { headers, headersStart, headersEnd, bodyStart } = index;
  const frame: Frame = {
    bytes,
    text: hasTextBody ? text : latin1Text(bytes, index.bodyStart),
    headers,
    headersStart,
    headersEnd,
    bodyStart,
    bodyEnd: lastByte,
    received,
  };
  const msg = line.kind === 'request' ? new SipRequest(line, frame) : new SipResponse(line, frame);
  if (line.kind === 'request' && line.fault !== null) return reject(msg, line.faultStatus, line.fault);
  if (bodyEnd.ok && bodyEnd.value > MAX_MESSAGE_BYTES)
    return reject(msg, 413, malformed(`more than ${MAX_MESSAGE_BYTES} bytes`, MAX_MESSAGE_BYTES));
  if (index.fault !== null) return reject(msg, 400, malformed(index.fault, index.faultAt));
  if (!bodyEnd.ok) return reject(msg, 400, bodyEnd);
  return { ok: true, msg };
}

/** Above this size, in bytes, it pays to search the end of the head before making a text of it. */
const LARGE_BYTES = 2048;

/** The longest body, in bytes, that is kept as text too: printing the message is faster then, and a request that waits takes as much more memory. */
const TEXT_BODY_BYTES = 512;

function endOfHead(bytes: Buffer): number {
  const emptyLine = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return emptyLine < 0 ? bytes.length : emptyLine + 4;
}

function withoutLeadingLines(bytes: Buffer): Buffer {
  let at = 0;
  while (at + 1 < bytes.length && bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at === 0 ? bytes : bytes.subarray(at);
}

/** Where the body ends by Content-Length. Without one with the datagram, or WebSocket message; on a stream there must be one (RFC 3261 18.3, RFC 7118 5). */
function findBodyEnd(bytes: Buffer, { headers, bodyStart }: HeadIndex, protocol: Protocol): Parsed<number> {
  const { length } = bytes;
  const declared = contentLength(bytes, headers, MAX_MESSAGE_BYTES + 1);
  if (!declared.ok) return declared;
  const isStream = protocol === 'tcp' || protocol === 'tls';
  if (declared.value === null) {
    return isStream ? malformed('no Content-Length on a stream', bodyStart) : parsed(length);
  }
  const end = bodyStart + declared.value;
  // Of a message that would be too large, framing keeps only the head (RFC 3261 21.4.11).
  if (isStream && end > MAX_MESSAGE_BYTES) return parsed(end);
  return end > length ? malformed('Content-Length beyond the end of the message', bodyStart) : parsed(end);
}
