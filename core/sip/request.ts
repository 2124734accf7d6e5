import { skipToken } from './chars.ts';
import { applyEdits, type Edits } from './edits.ts';
import { Header, type HeaderId, headerIdByName } from './header-names.ts';
import { latin1Bytes } from './latin1.ts';
import { lineSafeUri } from './line-safe-uri.ts';
import type { SipMessage } from './sip-message.ts';
import type { SipRequest } from './sip-request.ts';
import type { SipResponse } from './sip-response.ts';
import { asByteString } from './text.ts';

/** What was put on the wire for a branch: enough to build its ACK and CANCEL. */
export interface Outgoing {
  /** The Request-URI. */
  readonly uri: string;
  /** Value of the Via on top. */
  readonly via: string;
  /** Route header lines as sent, complete lines (`routeLinesOf`). */
  readonly routes: string;
  /** From, To and Call-ID as sent, where routes have changed them (`changedLinesOf`); null: as received. */
  readonly changed: ChangedLines | null;
}

/** Header lines as sent, complete lines. */
export interface ChangedLines {
  readonly from: string;
  readonly to: string;
  readonly callId: string;
}

/** A Route header in a text of several lines. */
const ROUTE_LINE = /^route[ \t]*:/im;

/** ACK for a non-2xx final response (RFC 3261 17.1.1.3): built from the INVITE as sent (`sent`) and the response's To. */
export function buildAck(invite: SipRequest, response: SipResponse, sent: Outgoing): Buffer {
  return buildHopRequest('ACK', { invite, to: lineOf(response, Header.to), sent, extra: '' });
}

/** CANCEL of an INVITE sent (RFC 3261 9.1): same Request-URI, Call-ID, From, To, CSeq number, Route; one Via, the branch's. `extra`: complete header lines (Reason). */
export function buildCancel(invite: SipRequest, sent: Outgoing, extra = ''): Buffer {
  return buildHopRequest('CANCEL', {
    invite,
    to: sent.changed?.to ?? lineOf(invite, Header.to),
    sent,
    extra,
  });
}

interface HopRequest {
  readonly invite: SipRequest;
  /** Its To line. */
  readonly to: string;
  readonly sent: Outgoing;
  readonly extra: string;
}

function buildHopRequest(method: 'ACK' | 'CANCEL', { invite, to, sent, extra }: HopRequest): Buffer {
  const from = sent.changed?.from ?? lineOf(invite, Header.from);
  const callId = sent.changed?.callId ?? `Call-ID: ${invite.callId}\r\n`;
  const text =
    `${method} ${lineSafeUri(sent.uri)} SIP/2.0\r\nVia: ${sent.via}\r\n${sent.routes}Max-Forwards: 70\r\n` +
    `${from}${to}${callId}CSeq: ${invite.cseq.number} ${method}\r\n${extra}Content-Length: 0\r\n\r\n`;
  return latin1Bytes(asByteString(text), 0);
}

function lineOf(msg: SipMessage, id: typeof Header.from | typeof Header.to): string {
  const i = msg.find(id);
  const name = id === Header.from ? 'From' : 'To';
  return `${name}: ${msg.text.slice(msg.valueStart(i), msg.valueEnd(i))}\r\n`;
}

/** The lines that tell the call, as a print of the request with these edits has them; null where none is touched. */
export function changedLinesOf(msg: SipRequest, edits: Edits): ChangedLines | null {
  if (!IDENTITY.some((id) => isTouched(msg, edits, id))) return null;
  const text = applyEdits(
    msg.text,
    { start: msg.headersStart, end: msg.headersEnd },
    edits.list,
    msg.received.point,
  );
  return {
    from: linesIn(text, Header.from),
    to: linesIn(text, Header.to),
    callId: linesIn(text, Header.callId),
  };
}

const IDENTITY = [Header.from, Header.to, Header.callId] as const;

function isTouched(msg: SipRequest, edits: Edits, id: HeaderId): boolean {
  if (edits.size === 0) return false;
  const i = msg.find(id);
  const start = msg.headerStart(i);
  const end = msg.headerEnd(i);
  return edits.list.some(
    ({ at, removed }) => at < end && (removed === 0 ? at > start : at + removed > start),
  );
}

/** The Route header lines, each with its line end, that a print of the request with these edits contains. */
export function routeLinesOf(msg: SipRequest, edits: Edits): string {
  if (!hasRoute(msg, edits)) return '';
  const range = { start: msg.headersStart, end: msg.headersEnd };
  return linesIn(applyEdits(msg.text, range, edits.list, msg.received.point), Header.route);
}

/** The lines of a header in a text of whole header lines. */
function linesIn(text: string, id: HeaderId): string {
  let lines = '';
  let isWanted = false;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at) + 1;
    const end = next === 0 ? text.length : next;
    if (text[at] !== ' ' && text[at] !== '\t') isWanted = isLineOf(text, at, { end, id });
    if (isWanted) lines += text.slice(at, end);
    at = end;
  }
  return lines;
}

/** Whether a Route line may be left: one received that is not removed as a whole, or one in a text put in. */
function hasRoute(msg: SipRequest, edits: Edits): boolean {
  for (let i = msg.find(Header.route); i >= 0; i = msg.find(Header.route, i)) {
    const start = msg.headerStart(i);
    const end = msg.headerEnd(i);
    if (!edits.list.some(({ at, removed, text }) => text === '' && at <= start && at + removed >= end))
      return true;
  }
  return edits.list.some(({ text }) =>
    ROUTE_LINE.test(typeof text === 'string' ? text : text(msg.received.point)),
  );
}

function isLineOf(text: string, at: number, { end, id }: { end: number; id: HeaderId }): boolean {
  return headerIdByName(text.slice(at, skipToken(text, at, end)).toLowerCase()) === id;
}
