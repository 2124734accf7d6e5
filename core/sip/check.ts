import { Header, type HeaderId } from './header-names.ts';
import { reject, type Rejected } from './rejected.ts';
import { type Malformed, malformed } from './result.ts';
import type { SipRequest } from './sip-request.ts';
import type { SipResponse } from './sip-response.ts';

/** Headers that may stand only once (RFC 3261 7.3.1, 20; RFC 4475 3.3.8). */
const SINGLE_HEADERS: readonly { readonly id: HeaderId; readonly label: string }[] = [
  { id: Header.from, label: 'From' },
  { id: Header.to, label: 'To' },
  { id: Header.callId, label: 'Call-ID' },
  { id: Header.cseq, label: 'CSeq' },
  { id: Header.maxForwards, label: 'Max-Forwards' },
];

/**
 * Checks what every element must check before it acts on a message (RFC 3261 8.1.1, 16.3, 20): Via, From, To, Call-ID and CSeq there
 * and well formed, CSeq method the request's, a Request-URI of a scheme we route. Null when it may go on. Headers that a proxy does not
 * use are not looked at (16.3 item 1).
 */
export function checkMessage(msg: SipRequest | SipResponse): Rejected | null {
  const fault = headerFault(msg);
  if (fault !== null) return reject(msg, 400, fault);
  if (msg.kind === 'response') return null;
  if (msg.cseq.method !== msg.method) {
    return reject(msg, 400, malformed('CSeq method is not the method of the request', 0));
  }
  if (msg.maxForwards === -1) return reject(msg, 400, malformed('Max-Forwards is not a number', 0));
  return checkRequestUri(msg);
}

function headerFault(msg: SipRequest | SipResponse): Malformed | null {
  const via = msg.parsedTopVia();
  if (!via.ok) return via;
  for (const { id, label } of SINGLE_HEADERS) {
    const first = msg.find(id);
    const second = first < 0 ? -1 : msg.find(id, first);
    if (second >= 0) return malformed(`more than one ${label}`, msg.headerStart(second));
  }
  const from = msg.parsedFrom();
  if (!from.ok) return from;
  const to = msg.parsedTo();
  if (!to.ok) return to;
  const callId = msg.parsedCallId();
  if (!callId.ok) return callId;
  const cseq = msg.parsedCSeq();
  return cseq.ok ? null : cseq;
}

function checkRequestUri(msg: SipRequest): Rejected | null {
  const uri = msg.parsedUri;
  if (!uri.ok) return reject(msg, 400, malformed(`Request-URI: ${uri.reason}`, msg.uriStart + uri.at));
  switch (uri.value.scheme) {
    case 'sip':
    case 'sips':
    case 'tel':
      return null;
    default:
      return reject(msg, 416, malformed('Request-URI of an unknown scheme', msg.uriStart));
  }
}
