import type { OwnRouteReader, OwnRouteService, TransportService } from '../registry/services.ts';
import { DEFAULT_PORTS, type ListenPoint, protocolOf } from '../sip/hop.ts';
import { sameHost } from '../sip/host.ts';
import type { SipRequest } from '../sip/message.ts';
import { type Uri, uriParam } from '../sip/uri.ts';

/** Reads the Routes of requests that name this proxy: which socket to leave by, and what modules put into them. */
export class OwnRoutes implements OwnRouteService {
  readonly #transport: Pick<TransportService, 'points'>;
  readonly #readers: OwnRouteReader[] = [];

  constructor(transport: Pick<TransportService, 'points'>) {
    this.#transport = transport;
  }

  add(reader: OwnRouteReader): void {
    this.#readers.push(reader);
  }

  read(request: SipRequest, uri: Uri): void {
    // Of the two Routes of a double Record-Route, the second is the one of the way out (RFC 5658).
    if (uriParam(uri, 'r2') !== null) request.outPoint = this.#pointOf(uri);
    for (const reader of this.#readers) reader(request, uri);
  }

  #pointOf(uri: Uri): ListenPoint | null {
    const protocol = protocolOf(uriParam(uri, 'transport') || (uri.scheme === 'sips' ? 'tls' : 'udp'));
    if (protocol === null) return null;
    const port = uri.port ?? DEFAULT_PORTS[protocol];
    for (const point of this.#transport.points) {
      if (point.protocol !== protocol) continue;
      if (point.advertisedPort === port && sameHost(point.advertisedHost, uri.host)) return point;
      if (point.port === port && sameHost(point.address, uri.host)) return point;
    }
    return null;
  }
}
