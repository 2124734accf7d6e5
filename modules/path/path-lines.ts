import type { ListenPoint, Received, SipRequest } from '../../core/index.ts';

/** What a Path value says besides where this proxy is. */
export interface PathOptions {
  /** User part, a byte string; '' for none. */
  readonly user: string;
  /** Token of the flow that the request came by, in place of a user; null: none (RFC 5626 5.1). */
  readonly flowToken: string | null;
  /** Whether this proxy is the first hop of what came by that flow, which `ob` tells the registrar. */
  readonly isFirstHop: boolean;
  /** Whether the value says where the request came from. */
  readonly withSource: boolean;
  /** Whether there are two of them between two sockets. */
  readonly double: boolean;
}

/**
 * The Path lines of a request that leaves by `out` (RFC 3327 5.2). With `double` and another socket on the way in there are two, that of the
 * way out on top, as of Record-Route (RFC 5658); source and flow token then stand in the one that is next to the user agent.
 */
export function pathLines(request: SipRequest, out: ListenPoint, options: PathOptions): string {
  const { received } = request;
  const { point } = received;
  // A Path for a SIPS Request-URI is SIPS, as a Record-Route is (RFC 3261 16.6 step 4, RFC 5630 3.1).
  const scheme = /^sips:/i.test(request.uri) ? 'sips' : 'sip';
  const user = options.flowToken ?? options.user;
  const source = options.withSource ? `;received=${sourceUri(received)}` : '';
  const ob = options.flowToken !== null && options.isFirstHop ? ';ob' : '';
  const line = (at: ListenPoint, name: string, params: string) =>
    `Path: <${scheme}:${name === '' ? '' : `${name}@`}${at.sentBy}${transportParam(at)};lr${params}>\r\n`;
  const isOneSocket = point.protocol === out.protocol && point.sentBy === out.sentBy;
  if (!options.double || isOneSocket) return line(out, user, `${source}${ob}`);
  return line(out, options.user, ';r2=on') + line(point, user, `${source}${ob};r2=on`);
}

function transportParam({ protocol }: ListenPoint): string {
  return protocol === 'udp' ? '' : `;transport=${protocol}`;
}

/** The URI of where a request came from, escaped to be the value of a URI parameter (RFC 3261 25.1). */
export function sourceUri({ address, port, point }: Received): string {
  const zone = address.indexOf('%');
  const plain = zone < 0 ? address : address.slice(0, zone);
  const host = plain.includes(':') ? `[${plain}]` : plain;
  const transport = point.protocol === 'udp' ? '' : `%3Btransport%3D${point.protocol}`;
  return `sip:${host}:${port}${transport}`;
}
