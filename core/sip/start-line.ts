import { CharKind } from './chars.ts';
import {
  asciiBytes,
  type HeadText,
  readDecimal,
  skipKind,
  skipToken,
  standsInAnyCaseAt,
} from './head-text.ts';
import { methodAt } from './methods.ts';
import { type Malformed, malformed } from './result.ts';

/** A request's first line (RFC 3261 7.1). On a malformed one `fault` says why, and the rest is what could still be read. */
export interface RequestLine {
  readonly kind: 'request';
  readonly method: string;
  readonly uriStart: number;
  readonly uriEnd: number;
  readonly fault: Malformed | null;
  /** What the fault deserves as a reply. */
  readonly faultStatus: 400 | 505;
}

/** A response's first line (RFC 3261 7.2). */
export interface StatusLine {
  readonly kind: 'response';
  readonly status: number;
  readonly reasonStart: number;
  readonly reasonEnd: number;
}

const PROTOCOL = asciiBytes('SIP/');
const VERSION = asciiBytes('SIP/2.0');
const SPACE = 0x20;
const DOT = 0x2e;

/**
 * Parses the start line, [0, end) of a head: single spaces only (RFC 3261 25.1). A malformed status line, and a line that does not even start
 * with a method, is a plain fault: there is nothing to answer.
 */
export function parseStartLine(line: HeadText, end: number): RequestLine | StatusLine | Malformed {
  const { text, bytes } = line;
  if (standsInAnyCaseAt(bytes, 0, PROTOCOL)) return parseStatusLine(line, end);
  const space = text.indexOf(' ');
  const methodEnd = space < 0 || space > end ? end : space;
  const method = methodEnd < end ? methodAt(line, 0, methodEnd) : null;
  if (method === null) return malformed('start line without a method', skipToken(bytes, 0, methodEnd));
  const uriStart = methodEnd + 1;
  let uriEnd = text.indexOf(' ', uriStart);
  if (uriEnd < 0 || uriEnd > end) uriEnd = end;
  const fault = requestLineFault(line, { uriStart, uriEnd, end });
  return {
    kind: 'request',
    method,
    uriStart,
    uriEnd,
    fault,
    faultStatus: fault?.reason === OTHER_VERSION ? 505 : 400,
  };
}

const OTHER_VERSION = 'SIP version is not 2.0';

function requestLineFault(
  line: HeadText,
  { uriStart, uriEnd, end }: { uriStart: number; uriEnd: number; end: number },
): Malformed | null {
  const start = uriEnd + 1;
  if (uriEnd === uriStart) return malformed('request line without a URI', uriStart);
  if (end - start === VERSION.length && standsInAnyCaseAt(line.bytes, start, VERSION)) return null;
  if (isSipVersion(line, start, end)) return malformed(OTHER_VERSION, start);
  return malformed('request line does not end with a SIP version', Math.min(start, end));
}

function parseStatusLine({ bytes }: HeadText, end: number): StatusLine | Malformed {
  const codeStart = VERSION.length + 1;
  if (!standsInAnyCaseAt(bytes, 0, VERSION) || bytes[VERSION.length] !== SPACE) {
    return malformed('status line without the version SIP/2.0', 0);
  }
  const codeEnd = codeStart + 3;
  const status = codeEnd < end ? readDecimal(bytes, codeStart, codeEnd, 1000) : -1;
  if (status < 100 || status > 699) return malformed('status code is not one of 100 to 699', codeStart);
  if (bytes[codeEnd] !== SPACE) return malformed('no space behind the status code', codeEnd);
  return { kind: 'response', status, reasonStart: codeEnd + 1, reasonEnd: end };
}

/** SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT. */
function isSipVersion({ bytes }: HeadText, start: number, end: number): boolean {
  if (!standsInAnyCaseAt(bytes, start, PROTOCOL)) return false;
  const dot = skipKind(bytes, start + 4, end, CharKind.digit);
  if (dot === start + 4 || dot + 1 >= end || bytes[dot] !== DOT) return false;
  return skipKind(bytes, dot + 1, end, CharKind.digit) === end;
}
