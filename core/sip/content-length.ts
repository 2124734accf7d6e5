import { readDecimal } from './chars.ts';
import { Header } from './header-names.ts';
import { malformed, type Parsed, parsed } from './result.ts';
import { INDEX_STRIDE } from './scan.ts';

/**
 * The length of the body as the head declares it; null when it does not. Several Content-Length headers may stand there if they agree
 * (RFC 3261 20.14). Numbers above `cap` are given as `cap`.
 */
export function contentLength(head: string, headers: readonly number[], cap: number): Parsed<number | null> {
  let length: number | null = null;
  for (let i = 0; i < headers.length; i += INDEX_STRIDE) {
    if (headers[i] !== Header.contentLength) continue;
    const valueStart = headers[i + 2]!;
    const size = readDecimal(head, valueStart, headers[i + 3]!, cap);
    if (size < 0) return malformed('Content-Length is not a number', valueStart);
    if (length !== null && length !== size) return malformed('Content-Lengths that differ', valueStart);
    length = size;
  }
  return parsed(length);
}
