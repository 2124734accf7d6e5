import { readDecimal } from './chars.ts';
import { Header } from './header-names.ts';
import type { Received } from './hop.ts';
import { latin1Text } from './latin1.ts';
import { reject, type Rejected } from './rejected.ts';
import { malformed, type Parsed, parsed } from './result.ts';
import { type HeadIndex, INDEX_STRIDE, scanHead } from './scan.ts';
import type { Frame } from './sip-message.ts';
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
  const tooLarge = datagram.length > MAX_MESSAGE_BYTES;
  const bytes = withoutLeadingLines(tooLarge ? datagram.subarray(0, MAX_MESSAGE_BYTES) : datagram);
  if (bytes.length === 0) return reject(null, 400, malformed('nothing but line ends', 0));
  const text = latin1Text(bytes, bytes.length > LARGE_BYTES ? endOfHead(bytes) : bytes.length);
  const index = scanHead(bytes, text);
  const head = index.bodyStart === text.length ? text : latin1Text(bytes, index.bodyStart);
  const line = parseStartLine(head, index.startLineEnd);
  if (!('kind' in line)) return reject(null, 400, line);
  const bodyEnd = tooLarge ? parsed(bytes.length) : findBodyEnd(head, index, bytes.length);
  const frame: Frame = { bytes, head, index, bodyEnd: bodyEnd.ok ? bodyEnd.value : bytes.length, received };
  const msg = line.kind === 'request' ? new SipRequest(line, frame) : new SipResponse(line, frame);
  if (line.kind === 'request' && line.fault !== null) return reject(msg, line.faultStatus, line.fault);
  if (tooLarge) return reject(msg, 413, malformed(`more than ${MAX_MESSAGE_BYTES} bytes`, MAX_MESSAGE_BYTES));
  if (index.fault !== null) return reject(msg, 400, malformed(index.fault, index.faultAt));
  if (!bodyEnd.ok) return reject(msg, 400, bodyEnd);
  return { ok: true, msg };
}

/** Above this size, in bytes, it pays to search the end of the head before making a text of it. */
const LARGE_BYTES = 2048;

function endOfHead(bytes: Buffer): number {
  const emptyLine = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return emptyLine < 0 ? bytes.length : emptyLine + 4;
}

function withoutLeadingLines(bytes: Buffer): Buffer {
  let at = 0;
  while (at + 1 < bytes.length && bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at === 0 ? bytes : bytes.subarray(at);
}

/** Where the body ends by Content-Length; without one, with the datagram (RFC 3261 18.3). Several may stand there if they agree. */
function findBodyEnd(head: string, { headers, bodyStart }: HeadIndex, length: number): Parsed<number> {
  let end = -1;
  for (let i = 0; i < headers.length; i += INDEX_STRIDE) {
    if (headers[i] !== Header.contentLength) continue;
    const valueStart = headers[i + 2]!;
    const size = readDecimal(head, valueStart, headers[i + 3]!, MAX_MESSAGE_BYTES + 1);
    if (size < 0) return malformed('Content-Length is not a number', valueStart);
    if (end >= 0 && end !== bodyStart + size) return malformed('Content-Lengths that differ', valueStart);
    end = bodyStart + size;
    if (end > length) return malformed('Content-Length beyond the end of the datagram', valueStart);
  }
  return parsed(end < 0 ? length : end);
}
