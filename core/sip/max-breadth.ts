import type { Edits } from './edits.ts';
import { readDecimal } from './head-text.ts';
import { Header } from './header-names.ts';
import type { SipRequest } from './sip-request.ts';

/** The largest Max-Breadth this proxy lets in, and that of a request that came without (RFC 5393 5.3.3). */
const MAX_BREADTH = 60;

/**
 * How many concurrent branches a request may spawn from here on: its Max-Breadth, the smallest where there are several, `MAX_BREADTH` at most;
 * 0: none. A value that is no number counts as none given.
 */
export function incomingMaxBreadth(request: SipRequest): number {
  let breadth = MAX_BREADTH;
  for (let i = request.find(Header.maxBreadth); i >= 0; i = request.find(Header.maxBreadth, i)) {
    const value = readDecimal(request.bytes, request.valueStart(i), request.valueEnd(i), MAX_BREADTH);
    if (value >= 0 && value < breadth) breadth = value;
  }
  return breadth;
}

/** The edits with what it takes to forward the request with this one Max-Breadth; the same ones when it has it already. */
export function withMaxBreadth(request: SipRequest, edits: Edits, breadth: number): Edits {
  const first = request.find(Header.maxBreadth);
  if (first >= 0 && request.find(Header.maxBreadth, first) < 0 && request.value(first) === String(breadth)) {
    return edits;
  }
  const changed = edits.fork();
  for (let i = first; i >= 0; i = request.find(Header.maxBreadth, i)) {
    changed.remove(request.headerStart(i), request.headerEnd(i));
  }
  const maxForwards = request.find(Header.maxForwards);
  const at = maxForwards < 0 ? request.headersEnd : request.headerEnd(maxForwards);
  changed.insert(at, `Max-Breadth: ${breadth}\r\n`);
  return changed;
}
