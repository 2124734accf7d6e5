import { type HeaderIndex, INDEX_STRIDE, setHeader } from './header-index.ts';
import { skipLws, skipToken, trimLws } from './head-text.ts';
import { Header, headerIdOf } from './header-names.ts';

/** The most headers that a message may have; one on several folded lines counts once. */
export const MAX_HEADERS = 256;

/** Where the parts of a message's head stand: offsets from the first byte of the start line. */
export interface HeadIndex {
  /** Offset of the start line's CRLF. */
  readonly startLineEnd: number;
  /** Offset of the first header line. */
  readonly headersStart: number;
  /** Offset of the empty line. */
  readonly headersEnd: number;
  /** Offset behind the empty line: where the body starts. */
  readonly bodyStart: number;
  /** Malformed lines are left out. */
  readonly headers: HeaderIndex;
  /** The first thing wrong with the head, or null. */
  readonly fault: string | null;
  readonly faultAt: number;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Indexes a head in one pass. `text` is the latin1 view of `bytes`, or of its start through the empty line: line ends are searched in the
 * text, since that is the fastest, and the rest is read from the bytes. Lines end in CRLF only: a lone CR or LF is a fault, since the next
 * element might take it for a line end and see other headers than we do. Behind a fault the scan goes on, so that a reply can be built from the
 * sound lines.
 */
export function scanHead(bytes: Uint8Array, text: string): HeadIndex {
  const { length } = text;
  const faults = new Faults();
  const startLineEnd = lineEnd(text, 0, faults);
  const headersStart = Math.min(startLineEnd + 2, length);
  let at = headersStart;
  let lines = 0;
  let count = 0;
  for (; at < length && lines < MAX_HEADERS && !isEmptyLine(bytes, at, length); lines++) {
    const faultsBefore = faults.count;
    let end = lineEnd(text, at, faults);
    while (end + 2 < length && isBlank(bytes[end + 2]!)) end = lineEnd(text, end + 3, faults);
    const colon = text.indexOf(':', at);
    const nameEnd = headerNameEnd(bytes, at, colon);
    const isNamed = nameEnd > at && colon < end;
    const id = isNamed ? headerIdOf(bytes, at, nameEnd) : Header.other;
    if (id === Header.other) checkName(bytes, at, isNamed ? nameEnd : at, faults);
    if (faults.count === faultsBefore) {
      // A line with a fault in it is not indexed: no reply may copy it.
      const valueEnd = trimLws(bytes, colon + 1, end);
      setHeader(found, count, id, at, skipLws(bytes, colon + 1, valueEnd), valueEnd);
      count++;
    }
    at = Math.min(end + 2, length);
  }
  const isClosed = at < length && isEmptyLine(bytes, at, length);
  if (at >= length) faults.add('no empty line behind the headers', at);
  else if (!isClosed) faults.add(`more than ${MAX_HEADERS} headers`, at);
  return {
    startLineEnd,
    headersStart,
    headersEnd: at,
    bodyStart: isClosed ? at + 2 : at,
    headers: found.slice(0, count * INDEX_STRIDE),
    fault: faults.reason,
    faultAt: faults.at,
  };
}

/** The index of the head in hand; a message takes a copy, which is as long as it has to be. */
const found: number[] = Array.from({ length: MAX_HEADERS * INDEX_STRIDE }, () => 0);

/** What is wrong with a head: how much, and the first of it. */
class Faults {
  count = 0;
  reason: string | null = null;
  at = -1;

  add(reason: string, at: number): void {
    if (this.count++ > 0) return;
    this.reason = reason;
    this.at = at;
  }
}

/** Offset of the CRLF that ends the line, or the length when there is none. */
function lineEnd(text: string, from: number, faults: Faults): number {
  const lf = text.indexOf('\n', from);
  const cr = text.indexOf('\r', from);
  return cr >= 0 && cr + 1 === lf ? cr : oddLineEnd(text, from, faults);
}

function oddLineEnd(text: string, from: number, faults: Faults): number {
  const end = text.indexOf('\r\n', from);
  faults.add(end < 0 ? 'line without an end' : 'CR or LF alone', from);
  return end < 0 ? text.length : end;
}

function isEmptyLine(bytes: Uint8Array, at: number, length: number): boolean {
  return bytes[at] === CR && at + 1 < length && bytes[at + 1] === LF;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Offset behind the name whose colon, or the next line's, is at `colon`. No fold may stand between them (RFC 3261 25.1, HCOLON). */
function headerNameEnd(bytes: Uint8Array, start: number, colon: number): number {
  let end = colon;
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  return end;
}

/** Checks a name that is none of those known: a token (RFC 3261 25.1). Empty: there is no name. */
function checkName(bytes: Uint8Array, start: number, end: number, faults: Faults): void {
  if (end === start) faults.add('header line without a name and colon', start);
  else if (skipToken(bytes, start, end) < end) faults.add('header name that is no token', start);
}
