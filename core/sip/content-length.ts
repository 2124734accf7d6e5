import { readDecimal } from './head-text.ts';
import { Header } from './header-names.ts';
import { malformed, type Parsed, parsed } from './result.ts';
import { findHeader, type HeaderIndex, valueEndOf, valueStartOf } from './header-index.ts';

/**
 * The length of the body as the head declares it; null when it does not. Several Content-Length headers may stand there if they agree
 * (RFC 3261 20.14). Numbers above `cap` are given as `cap`.
 */
export function contentLength(bytes: Uint8Array, headers: HeaderIndex, cap: number): Parsed<number | null> {
  let length: number | null = null;
  const id = Header.contentLength;
  for (let i = findHeader(headers, id, -1); i >= 0; i = findHeader(headers, id, i)) {
    const valueStart = valueStartOf(headers, i);
    const size = readDecimal(bytes, valueStart, valueEndOf(headers, i), cap);
    if (size < 0) return malformed('Content-Length is not a number', valueStart);
    if (length !== null && length !== size) return malformed('Content-Lengths that differ', valueStart);
    length = size;
  }
  return parsed(length);
}
