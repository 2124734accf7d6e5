import { isIPv6, SocketAddress } from 'node:net';
import type { MyselfService } from '../registry/services.ts';
import { DEFAULT_PORTS, type ListenPoint, protocolOf } from '../sip/hop.ts';
import { printUri, type Uri, uriParam } from '../sip/uri.ts';
import { isWildcard } from '../transport/addresses.ts';

/** One spelling for each host: lower case, IPv6 without brackets and as short as it gets. */
function normalHost(host: string): string {
  if (!host.includes(':')) return host.toLowerCase();
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIPv6(bare) ? new SocketAddress({ address: bare, family: 'ipv6' }).address : bare.toLowerCase();
}

/** A name that means this proxy; port null: whatever the port. */
export interface Alias {
  readonly host: string;
  readonly port: number | null;
}

/** Which addresses are this proxy's own: the listen addresses, what they advertise, and `alias` (Kamailio: myself). */
export class Myself implements MyselfService {
  readonly #hosts = new Set<string>();
  /** Hosts that are this proxy at every port. */
  readonly #anyPort = new Set<string>();
  /** Ports of a host at which it is this proxy. */
  readonly #ports = new Map<string, Set<number>>();

  /** `machine`: addresses of this machine, all of which a wildcard listen address means. */
  constructor(points: readonly ListenPoint[], aliases: readonly Alias[], machine: readonly string[] = []) {
    for (const { address, family, port, advertisedHost, advertisedPort } of points) {
      this.#add(address, port);
      if (isWildcard(address))
        for (const own of machine) if (isIPv6(own) === (family === 6)) this.#add(own, port);
      this.#add(advertisedHost, advertisedPort);
    }
    for (const { host, port } of aliases) this.#add(host, port);
  }

  isMyself(host: string, port: number | null): boolean {
    const name = normalHost(host);
    if (port === null) return this.#hosts.has(name);
    return this.#anyPort.has(name) || (this.#ports.get(name)?.has(port) ?? false);
  }

  isMyselfUri(uri: Uri): boolean {
    if (uri.host === '') return false;
    return this.isMyself(uri.host, portOf(uri));
  }

  withoutOwnMaddr(uri: Uri, point: ListenPoint): string | null {
    const maddr = uriParam(uri, 'maddr');
    if (maddr === null) return null;
    const transport = transportOf(uri);
    const port = portOf(uri);
    if (transport !== point.protocol || port !== point.port || !this.isMyself(maddr, port)) return null;
    const params = uri.params.filter(({ name }) => name !== 'maddr' && name !== 'transport');
    return printUri({ ...uri, port: null, params });
  }

  #add(host: string, port: number | null): void {
    const name = normalHost(host);
    this.#hosts.add(name);
    if (port === null) {
      this.#anyPort.add(name);
      return;
    }
    const ports = this.#ports.get(name) ?? new Set();
    this.#ports.set(name, ports.add(port));
  }
}

/** The transport of a URI in lower case, its scheme's where none is named. */
function transportOf(uri: Uri): string {
  return (uriParam(uri, 'transport') || (uri.scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
}

/** The port of a URI, its transport's where none is written (RFC 3261 19.1.2). */
function portOf(uri: Uri): number {
  return uri.port ?? DEFAULT_PORTS[protocolOf(transportOf(uri)) ?? 'udp'];
}
