import {
  Header,
  type HeaderId,
  headerParam,
  type NameAddr,
  type SipMessage,
  type Uri,
} from '../../core/index.ts';
import { type PvCall, readOnly } from './declare.ts';
import { readText } from './texts.ts';
import { domainOf, userOf } from './uri-parts.ts';

/** What stands in the message in hand, as it was received. */
export const messageVariables = {
  $rm: readOnly('Method of the request; in replies, of the request answered.', ({ msg }) =>
    readText(msg.kind === 'request' ? msg.method : msg.cseq.method),
  ),
  $rs: readOnly(
    'Status of the reply in hand, in failure routes of the reply that was chosen; null when there is none.',
    ({ scope }) => scope.response?.status ?? null,
  ),
  $rr: readOnly('Reason phrase of the reply in hand, as $rs.', ({ scope }) =>
    scope.response === null ? null : readText(scope.response.reason),
  ),

  $fu: readOnly('URI of From.', ({ msg }) => readText(msg.from.uriText)),
  $fU: readOnly('User of the From URI.', ({ msg }) => userOf(uriIn(msg.from))),
  $fd: readOnly('Host of the From URI.', ({ msg }) => domainOf(uriIn(msg.from))),
  $fn: readOnly('Display name of From, quotes included.', ({ msg }) => readText(msg.from.displayName)),
  $ft: readOnly('Tag of From.', ({ msg }) => readText(headerParam(msg.from.params, 'tag'))),
  $tu: readOnly('URI of To.', ({ msg }) => readText(msg.to.uriText)),
  $tU: readOnly('User of the To URI.', ({ msg }) => userOf(uriIn(msg.to))),
  $td: readOnly('Host of the To URI.', ({ msg }) => domainOf(uriIn(msg.to))),
  $tn: readOnly('Display name of To, quotes included.', ({ msg }) => readText(msg.to.displayName)),
  $tt: readOnly('Tag of To; null in a request that starts a dialog.', ({ msg }) =>
    readText(headerParam(msg.to.params, 'tag')),
  ),

  $ci: readOnly('Call-ID.', ({ msg }) => readText(msg.callId)),
  $cs: readOnly('Number of CSeq.', ({ msg }) => msg.cseq.number),
  $cT: headerVariable('Value of Content-Type.', Header.contentType),
  $ct: headerVariable('Value of the first Contact header.', Header.contact),
  $ua: headerVariable('Value of User-Agent.', Header.userAgent),
  $cl: readOnly('Value of Content-Length, bytes; null when the message has none.', ({ msg }) => {
    const value = msg.first(Header.contentLength);
    return value === null ? null : Number(value);
  }),

  $rb: readOnly('Body; null when there is none.', ({ msg }) =>
    msg.bodyLength === 0 ? null : readText(msg.body.toString('latin1')),
  ),
  $ml: readOnly('Length of the message, bytes.', ({ msg }) => msg.bodyEnd),
  $mb: readOnly('The whole message.', ({ msg }) => readText(msg.wholeText())),

  $si: readOnly('IP address that the message came from.', ({ msg }) => msg.received.address),
  $sp: readOnly('Port that the message came from.', ({ msg }) => msg.received.port),
  $pr: readOnly(
    'Protocol that the message came by: udp, tcp, tls, ws or wss.',
    ({ msg }) => msg.received.point.protocol,
  ),
  $Ri: readOnly(
    'IP address of the socket that the message came in on.',
    ({ msg }) => msg.received.point.address,
  ),
  $Rp: readOnly('Port of the socket that the message came in on.', ({ msg }) => msg.received.point.port),

  $hdr: {
    doc: 'Value of a header by name, in any case, compact or long; null when the message has none. Of several, the first, or that of `index` (from 0; negative counts from the last), in text `$(hdr(name)[index])`.',
    indexed: true,
    get: ({ msg }: PvCall, name: string, index: number = 0): string | null => {
      const at = nthHeader(msg, name, index);
      return at === -1 ? null : readText(msg.value(at));
    },
  },
  $hdrc: {
    doc: 'Number of headers of this name.',
    get: ({ msg }: PvCall, name: string): number => countHeaders(msg, name),
  },
} as const;

function headerVariable(doc: string, id: HeaderId) {
  return readOnly(doc, ({ msg }) => readText(msg.first(id)));
}

function uriIn(nameAddr: NameAddr): Uri | null {
  return nameAddr.uri.ok ? nameAddr.uri.value : null;
}

function countHeaders(msg: SipMessage, name: string): number {
  let count = 0;
  for (let i = msg.findName(name); i !== -1; i = msg.findName(name, i)) count += 1;
  return count;
}

function nthHeader(msg: SipMessage, name: string, index: number): number {
  let left = index < 0 ? countHeaders(msg, name) + index : index;
  if (left < 0) return -1;
  let i = msg.findName(name);
  for (; i !== -1 && left > 0; left -= 1) i = msg.findName(name, i);
  return i;
}
