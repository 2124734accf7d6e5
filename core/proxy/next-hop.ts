import type { Resolution } from '../registry/services.ts';
import { BoundedCache } from '../routing/bounded-cache.ts';
import { DEFAULT_PORTS, type Protocol, protocolOf, type Target } from '../sip/hop.ts';
import { bareHost, isIpAddress } from '../sip/host.ts';
import type { SipRequest } from '../sip/message.ts';
import type { Parsed } from '../sip/result.ts';
import { parseUri, type Uri, uriParam } from '../sip/uri.ts';
import type { Resolved, Resolver } from '../transport/resolver.ts';
import type { Myself } from './myself.ts';

/** Next hops whose parsed form is kept: most calls go to few. */
const MAX_PARSED_HOPS = 1_000;

/** What a transport is in a SIPS URI; nothing secure runs over UDP. */
const SECURE: Readonly<Record<Protocol, Protocol | null>> = {
  udp: null,
  tcp: 'tls',
  tls: 'tls',
  ws: 'wss',
  wss: 'wss',
};

/** The address family that each listening protocol reaches; 0: both. */
export type Families = ReadonlyMap<Protocol, 0 | 4 | 6>;

type Hop =
  | {
      readonly ok: true;
      readonly host: string;
      readonly port: number;
      readonly protocol: Protocol;
      /** Whom the peer must prove to be, where that is not its address; undefined where the protocol has no proofs. */
      readonly proves: string | undefined;
    }
  | Failure;
type Failure = Extract<Resolution, { ok: false }>;

function failure(reason: string, status: Failure['status'] = 478): Failure {
  return { ok: false, reason, status };
}

/** Finds where a request goes next: $du, else its topmost Route, else its Request-URI (RFC 3261 16.6 steps 6 and 7). */
export class NextHop {
  readonly #myself: Myself;
  readonly #resolver: Resolver;
  readonly #families: Families;
  readonly #parsed = new BoundedCache<Hop>(MAX_PARSED_HOPS);

  constructor(options: {
    readonly myself: Myself;
    readonly resolver: Resolver;
    readonly families: Families;
  }) {
    this.#myself = options.myself;
    this.#resolver = options.resolver;
    this.#families = options.families;
  }

  resolve(request: SipRequest): Resolution | Promise<Resolution> {
    const uri = request.nextHop ?? this.#routeOf(request) ?? request.uri;
    if (typeof uri !== 'string') return uri;
    const hop = this.#hop(uri);
    if (!hop.ok) return hop;
    const address = this.#resolver.resolve(hop.host, this.#families.get(hop.protocol));
    if (address instanceof Promise) return address.then((found) => this.#target(hop, found));
    return this.#target(hop, address);
  }

  /**
   * The topmost Route's URI, once Routes that name this proxy are taken off (16.4; `loose_route` has done so where a handler calls it). A strict router's
   * becomes the Request-URI, which goes to the end of the route set (16.6 step 6).
   */
  #routeOf(request: SipRequest): string | null | Failure {
    for (;;) {
      const routes = request.routes();
      if (!routes.ok) return failure(`Route: ${routes.reason}`, 400);
      const top = routes.value[0];
      if (top === undefined) return null;
      const uri = top.nameAddr.uri;
      if (!uri.ok) return failure(`Route: ${uri.reason}`, 400);
      if (this.#myself.isMyselfUri(uri.value)) {
        request.removeRoute(0);
        continue;
      }
      if (uriParam(uri.value, 'lr') === null) {
        request.appendRoute(request.uri);
        request.removeRoute(0);
        request.uri = uri.value.text;
        request.nextHop = uri.value.text;
      }
      return uri.value.text;
    }
  }

  #hop(text: string): Hop {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const hop = this.#parse(text);
    this.#parsed.set(text, hop);
    return hop;
  }

  #parse(text: string): Hop {
    const parsed: Parsed<Uri> = parseUri(text);
    if (!parsed.ok) return failure(`next hop URI: ${parsed.reason}`, 400);
    const uri = parsed.value;
    if (uri.scheme !== 'sip' && uri.scheme !== 'sips')
      return failure(`no way to reach a ${uri.scheme} URI`, 416);
    const transport = uriParam(uri, 'transport') || (uri.scheme === 'sips' ? 'tls' : 'udp');
    const named = protocolOf(transport);
    // A SIPS URI's `tcp` is what TLS runs over (RFC 3261 26.2.2), and so is its `ws` (RFC 7118 5.1).
    const protocol = uri.scheme === 'sips' && named !== null ? SECURE[named] : named;
    if (protocol === null || !this.#families.has(protocol))
      return failure(`no listen address for transport ${transport}`);
    const host = uriParam(uri, 'maddr') || uri.host;
    const port = uri.port ?? DEFAULT_PORTS[protocol];
    // An address proves itself, without being asked by name.
    const isNamed = host !== uri.host || !isIpAddress(host);
    const proves = protocol === 'tls' && isNamed ? bareHost(uri.host) : undefined;
    return { ok: true, host: bareHost(host), port, protocol, proves };
  }

  #target(hop: Extract<Hop, { ok: true }>, address: Resolved): Resolution {
    if (!address.ok) return failure(`${hop.host}: ${address.reason}`);
    const target: Target = { protocol: hop.protocol, address: address.address, port: hop.port };
    return { ok: true, target: hop.proves === undefined ? target : { ...target, host: hop.proves } };
  }
}
