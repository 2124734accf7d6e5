import type { Resolution } from '../registry/services.ts';
import { BoundedCache } from '../routing/bounded-cache.ts';
import { type Protocol, protocolOf, type Target } from '../sip/hop.ts';
import { bareHost, isIpAddress } from '../sip/host.ts';
import type { SipRequest } from '../sip/message.ts';
import type { Parsed } from '../sip/result.ts';
import { parseUri, type Uri, uriParam } from '../sip/uri.ts';
import type { DnsQueries } from '../transport/dns-client.ts';
import { type Located, Locator, type Wanted } from '../transport/locate.ts';
import type { Resolver } from '../transport/resolver.ts';
import type { Families } from '../transport/server-records.ts';
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

/** A server that has to be looked up. */
interface Search {
  readonly wanted: Wanted;
  /** Whom a peer must prove to be, where that is not its address; undefined where it is. */
  readonly proves: string | undefined;
}
/** What a URI leads to: known from it alone, or to be looked up. */
type Hop = Resolution | Search;
type Failure = Extract<Resolution, { ok: false }>;

function failure(reason: string, status: Failure['status'] = 478): Failure {
  return { ok: false, reason, status };
}

/** Finds where a request goes next: $du, else its topmost Route, else its Request-URI (RFC 3261 16.6 steps 6 and 7). */
export class NextHop {
  readonly #myself: Myself;
  readonly #locator: Locator;
  readonly #families: Families;
  readonly #parsed = new BoundedCache<Hop>(MAX_PARSED_HOPS);

  constructor(options: {
    readonly myself: Myself;
    readonly resolver: Resolver;
    /** For NAPTR and SRV records; null: names have addresses only. */
    readonly dns?: DnsQueries | null;
    readonly families: Families;
  }) {
    this.#myself = options.myself;
    this.#families = options.families;
    this.#locator = new Locator({
      resolver: options.resolver,
      dns: options.dns ?? null,
      families: options.families,
    });
  }

  resolve(request: SipRequest): Resolution | Promise<Resolution> {
    const uri = request.nextHop ?? this.#routeOf(request) ?? request.uri;
    if (typeof uri !== 'string') return uri;
    const hop = this.#hop(uri);
    if ('ok' in hop) return hop;
    const located = this.#locator.locate(hop.wanted, request.callId);
    if (located instanceof Promise) return located.then((found) => resolution(hop, found));
    return resolution(hop, located);
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
    const isSecure = uri.scheme === 'sips';
    const given = uriParam(uri, 'transport') || null;
    const transport = given ?? (isSecure ? 'tls' : 'udp');
    const named = protocolOf(transport);
    // A SIPS URI's `tcp` is what TLS runs over (RFC 3261 26.2.2), and so is its `ws` (RFC 7118 5.1).
    const protocol = isSecure && named !== null ? SECURE[named] : named;
    if (protocol === null) return failure(`no listen address for transport ${transport}`);
    const host = uriParam(uri, 'maddr') || uri.host;
    const isGiven = given !== null;
    const wanted: Wanted = { host: bareHost(host), port: uri.port, protocol, isGiven, isSecure };
    if (!this.#families.has(protocol) && !this.#locator.choosesProtocol(wanted))
      return failure(`no listen address for transport ${transport}`);
    // An address proves itself, without being asked by name.
    const isNamed = host !== uri.host || !isIpAddress(host);
    const search: Search = { wanted, proves: isNamed ? bareHost(uri.host) : undefined };
    if (!isIpAddress(host)) return search;
    const located = this.#locator.locate(wanted, '');
    return located instanceof Promise ? search : resolution(search, located);
  }
}

function resolution({ wanted, proves }: Search, located: Located): Resolution {
  if (!located.ok) return failure(`${wanted.host}: ${located.reason}`);
  const [target, ...alternatives] = located.targets.map((each) => proven(each, proves));
  if (target === undefined) return failure(`${wanted.host}: no address`);
  return alternatives.length === 0 ? { ok: true, target } : { ok: true, target, alternatives };
}

/** The proof is about the URI's domain, whatever server DNS names for it (RFC 5922 4). */
function proven(target: Target, proves: string | undefined): Target {
  return target.protocol === 'tls' && proves !== undefined ? { ...target, host: proves } : target;
}
