import type { ListenPoint, Received, SipRequest } from '../../core/index.ts';

/** What a Path value says besides where this proxy is. */
export interface PathOptions {
  /** User part, a byte string; '' for none. */
  readonly user: string;
  /** Whether the value says where the request came from. */
  readonly withSource: boolean;
  /** Whether there are two of them between two sockets. */
  readonly double: boolean;
}

/**
 * The Path lines of a request that leaves by `out` (RFC 3327 5.2). With `double` and another socket on the way in there are two, that of the
 * way out on top, as of Record-Route (RFC 5658); the source then stands in the one that is next to it.
 */
export function pathLines(request: SipRequest, out: ListenPoint, options: PathOptions): string {
  const { received } = request;
  const { point } = received;
  // A Path for a SIPS Request-URI is SIPS, as a Record-Route is (RFC 3261 16.6 step 4, RFC 5630 3.1).
  const scheme = /^sips:/i.test(request.uri) ? 'sips' : 'sip';
  const user = options.user === '' ? '' : `${options.user}@`;
  const source = options.withSource ? `;received=${sourceUri(received)}` : '';
  const line = (at: ListenPoint, params: string) =>
    `Path: <${scheme}:${user}${at.sentBy}${transportParam(at)};lr${params}>\r\n`;
  const isOneSocket = point.protocol === out.protocol && point.sentBy === out.sentBy;
  if (!options.double || isOneSocket) return line(out, source);
  return line(out, ';r2=on') + line(point, `${source};r2=on`);
}

function transportParam({ protocol }: ListenPoint): string {
  return protocol === 'udp' ? '' : `;transport=${protocol}`;
}

/** The URI of where a request came from, escaped to be the value of a URI parameter (RFC 3261 25.1). */
function sourceUri({ address, port, point }: Received): string {
  const zone = address.indexOf('%');
  const plain = zone < 0 ? address : address.slice(0, zone);
  const host = plain.includes(':') ? `[${plain}]` : plain;
  const transport = point.protocol === 'udp' ? '' : `%3Btransport%3D${point.protocol}`;
  return `sip:${host}:${port}${transport}`;
}
