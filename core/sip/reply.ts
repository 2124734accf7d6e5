import { applyEdits } from './edits.ts';
import { Header, type HeaderId } from './header-names.ts';
import { skipLws } from './head-text.ts';
import { DEFAULT_PORTS, protocolOf } from './hop.ts';
import { bareHost, isIpAddress } from './host.ts';
import { latin1Bytes } from './latin1.ts';
import { receivedEdits } from './received.ts';
import type { SipMessage } from './sip-message.ts';
import type { SipRequest } from './sip-request.ts';
import type { SipResponse } from './sip-response.ts';
import { asByteString } from './text.ts';
import { parseVia, type Via } from './via.ts';

export { reasonPhrase } from './reason-phrases.ts';

export interface ReplyOptions {
  /** To tag to add when the request has none; '' adds none (100). */
  readonly toTag: string;
  /** Complete header lines to add, each with its CRLF. */
  readonly headers?: string;
  readonly body?: Buffer;
  readonly contentType?: string;
}

/**
 * Builds a reply from a request (RFC 3261 8.2.6.2): Vias in order (received/rport filled in the top one), From, To, Call-ID, CSeq,
 * Timestamp for 100; Record-Route for 101..299 (12.1.1). Works on requests that `checkMessage` rejected as long as the parts are there.
 * Texts are byte strings; what would end a line in the reason or content type becomes a space.
 */
export function buildReply(msg: SipRequest, status: number, reason: string, options: ReplyOptions): Buffer {
  const { headers = '', body, contentType } = options;
  let head = `SIP/2.0 ${status} ${oneLine(reason)}\r\n`;
  head += viaLines(msg);
  head += firstLine(msg, Header.from);
  head += toLine(msg, options.toTag);
  head += firstLine(msg, Header.callId);
  head += firstLine(msg, Header.cseq);
  if (status === 100) head += firstLine(msg, Header.timestamp);
  if (status > 100 && status < 300) head += allLines(msg, Header.recordRoute);
  head += asByteString(headers);
  if (contentType !== undefined) head += `Content-Type: ${oneLine(contentType)}\r\n`;
  head += `Content-Length: ${body?.length ?? 0}\r\n\r\n`;
  const bytes = latin1Bytes(head, body?.length ?? 0);
  body?.copy(bytes, head.length);
  return bytes;
}

function viaLines(msg: SipRequest): string {
  const top = msg.find(Header.via);
  if (top < 0) return '';
  const range = { start: msg.headerStart(top), end: msg.headerEnd(top) };
  return applyEdits(msg.text, range, receivedEdits(msg), msg.received.point) + allLines(msg, Header.via, top);
}

function toLine(msg: SipRequest, toTag: string): string {
  const i = msg.find(Header.to);
  const to = msg.parsedTo();
  if (i < 0 || toTag === '' || !to.ok || to.value.tag !== null) {
    return firstLine(msg, Header.to);
  }
  const valueEnd = msg.valueEnd(i);
  return `${msg.text.slice(msg.headerStart(i), valueEnd)};tag=${toTag}\r\n`;
}

/** The first line of a header as received; '' when there is none. */
function firstLine(msg: SipMessage, id: HeaderId): string {
  const i = msg.find(id);
  return i < 0 ? '' : msg.text.slice(msg.headerStart(i), msg.headerEnd(i));
}

/** All lines of a header behind header `after`, as received. */
function allLines(msg: SipMessage, id: HeaderId, after = -1): string {
  let lines = '';
  for (let i = msg.find(id, after); i >= 0; i = msg.find(id, i)) {
    lines += msg.text.slice(msg.headerStart(i), msg.headerEnd(i));
  }
  return lines;
}

function oneLine(text: string): string {
  const line = asByteString(text);
  return line.includes('\n') || line.includes('\r') ? line.replaceAll(/[\r\n]/g, ' ') : line;
}

/** The port that a Via's sent-by means. */
export function sentByPort(via: Via): number {
  return via.port ?? DEFAULT_PORTS[protocolOf(via.transport) ?? 'udp'];
}

/**
 * Where a reply to this request goes (RFC 3261 18.2.2, RFC 3581 4): to maddr; else to where the request came from, at the source port when it asks so
 * by rport or `forceRport` has been here, at the sent-by's otherwise. A maddr that is a name, and a malformed Via, do not count. On a stream neither maddr nor rport
 * do: this is where to go once the connection that the request came by is gone, and nothing listens at its source port.
 */
export function replyTarget(msg: SipRequest): { readonly address: string; readonly port: number } {
  const { address, port } = msg.received;
  const found = msg.parsedTopVia();
  if (!found.ok) return { address, port };
  const via = found.value;
  if (msg.received.point.protocol !== 'udp') return { address, port: sentByPort(via) };
  if (via.maddr !== null && isIpAddress(via.maddr)) {
    return { address: bareHost(via.maddr), port: sentByPort(via) };
  }
  return { address, port: via.rport === null && !msg.rportForced ? sentByPort(via) : port };
}

/** Where a response being forwarded goes, from the Via under the top one (16.7 step 9, 18.2.2); null when there is none or it is malformed. */
export interface ResponseHop {
  /** In upper case, as in the Via. */
  readonly transport: string;
  /** Address or name, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The next hop of a response: the Via under the top one says so. Null when there is none or it is malformed. */
export function responseHop(msg: SipResponse): ResponseHop | null {
  const via = secondVia(msg);
  if (via === null) return null;
  const { transport, maddr, received, rport } = via;
  // Neither maddr nor rport count on a stream (RFC 3261 18.2.2, RFC 3581 4).
  if (protocolOf(transport) !== 'udp')
    return { transport, host: received ?? bareHost(via.host), port: sentByPort(via) };
  if (maddr !== null) return { transport, host: bareHost(maddr), port: sentByPort(via) };
  const port = rport !== null && rport > 0 ? rport : sentByPort(via);
  return { transport, host: received ?? bareHost(via.host), port };
}

/** Whether a response has a Via under the top one, well formed or not. */
export function hasFurtherVia(msg: SipResponse): boolean {
  const i = msg.find(Header.via);
  return (
    skipLws(msg.bytes, msg.topVia.end, msg.valueEnd(i)) < msg.valueEnd(i) || msg.find(Header.via, i) >= 0
  );
}

function secondVia(msg: SipResponse): Via | null {
  const top = msg.parsedTopVia();
  if (!top.ok) return null;
  const i = msg.find(Header.via);
  const limit = msg.valueEnd(i);
  const comma = skipLws(msg.bytes, top.value.end, limit);
  const next = comma < limit ? i : msg.find(Header.via, i);
  if (next < 0) return null;
  const via = parseVia(msg, comma < limit ? comma + 1 : msg.valueStart(next), msg.valueEnd(next));
  return via.ok ? via.value : null;
}
