import { isIP } from 'node:net';
import { type Protocol, type Received, type SipRequest, type Uri, uriParam } from '../../core/index.ts';
import { bare, inUri } from './addresses.ts';
import { hostStart } from './contacts.ts';

/** The numbers that Kamailio gives to protocols. */
const NUMBERS: Readonly<Record<Protocol, number>> = { udp: 1, tcp: 2, tls: 3, ws: 5, wss: 6 };

/** Protocols by their number. */
const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map(
  (['udp', 'tcp', 'tls', 'ws', 'wss'] as const).map((protocol) => [String(NUMBERS[protocol]), protocol]),
);

/** The text of a URI whose only `alias` says where a message came from. */
export function withAlias(uri: Uri, { address, port, point }: Received): string {
  const alias = `;alias=${inUri(address)}~${port}~${NUMBERS[point.protocol]}`;
  const text = withoutAlias(uri);
  const end = uri.headers === null ? text.length : text.length - uri.headers.length - 1;
  return text.slice(0, end) + alias + text.slice(end);
}

/** The text of a URI without `alias` parameters; all else stays byte for byte. */
function withoutAlias(uri: Uri): string {
  if (uriParam(uri, 'alias') === null) return uri.text;
  const start = hostStart(uri);
  const end = uri.headers === null ? uri.text.length : uri.text.length - uri.headers.length - 1;
  // A semicolon behind the host can only begin a parameter (RFC 3261 25.1).
  const kept = uri.text
    .slice(start, end)
    .split(';')
    .filter((part) => !/^alias(?:=|$)/i.test(part));
  return uri.text.slice(0, start) + kept.join(';') + uri.text.slice(end);
}

/**
 * Takes `alias` off the Request-URI and sets the next hop to what it says. False, with nothing changed, when there is none, it cannot be
 * read, or it leads a SIPS request over a protocol that is not secure (RFC 3261 26.2.2).
 */
export function routeByAlias(request: SipRequest): boolean {
  const uri = request.parsedUri;
  if (!uri.ok) return false;
  const hop = hopOf(uriParam(uri.value, 'alias') ?? '');
  if (hop === null) return false;
  if (uri.value.scheme === 'sips' && hop.protocol !== 'tls' && hop.protocol !== 'wss') return false;
  const transport = hop.protocol === 'udp' ? '' : `;transport=${hop.protocol}`;
  request.uri = withoutAlias(uri.value);
  request.nextHop = `sip:${inUri(hop.address)}:${hop.port}${transport}`;
  return true;
}

/** Reads `ip~port~proto`; null when it is something else. */
function hopOf(alias: string): { address: string; port: number; protocol: Protocol } | null {
  const [host = '', portText = '', number = '', ...rest] = alias.split('~', 4);
  const address = bare(host);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  const protocol = PROTOCOLS.get(number);
  if (rest.length > 0 || isIP(address) === 0 || protocol === undefined) return null;
  return port >= 1 && port <= 65_535 ? { address, port, protocol } : null;
}
