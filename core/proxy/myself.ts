import { isIPv6, SocketAddress } from 'node:net';
import type { MyselfService } from '../registry/services.ts';
import type { ListenPoint } from '../sip/hop.ts';
import { type Uri, uriParam } from '../sip/uri.ts';
import { isWildcard } from '../transport/addresses.ts';

/** Default ports of SIP, and of SIP over TLS (RFC 3261 19.1.2). */
const SIP_PORT = 5060;
const SIPS_PORT = 5061;

/** One spelling for each host: lower case, IPv6 without brackets and as short as it gets. */
function normalHost(host: string): string {
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
  /** `host:port`. */
  readonly #places = new Set<string>();

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
    return this.#anyPort.has(name) || this.#places.has(`${name}:${port}`);
  }

  isMyselfUri(uri: Uri): boolean {
    if (uri.host === '') return false;
    const secure = uri.scheme === 'sips' || uriParam(uri, 'transport')?.toLowerCase() === 'tls';
    return this.isMyself(uri.host, uri.port ?? (secure ? SIPS_PORT : SIP_PORT));
  }

  #add(host: string, port: number | null): void {
    const name = normalHost(host);
    this.#hosts.add(name);
    if (port === null) this.#anyPort.add(name);
    else this.#places.add(`${name}:${port}`);
  }
}
