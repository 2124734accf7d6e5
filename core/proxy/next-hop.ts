import type { MyselfService, OwnRouteService, Resolution } from '../registry/services.ts';
import { BoundedCache } from '../routing/bounded-cache.ts';
import { type FlowRoute, type Protocol, protocolOf, type Target } from '../sip/hop.ts';
import { bareHost, isIpAddress } from '../sip/host.ts';
import type { SipRequest } from '../sip/message.ts';
import type { Parsed } from '../sip/result.ts';
import { parseUri, type Uri, uriParam } from '../sip/uri.ts';
import type { DnsQueries } from '../transport/dns-client.ts';
import { type Located, Locator, type Wanted } from '../transport/locate.ts';
import type { Resolver } from '../transport/resolver.ts';
import type { Families } from '../transport/server-records.ts';

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

const SIPS = /^sips:/i;

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

/** Finds where a request goes next: the flow of a token, else $du, else its topmost Route, else its Request-URI (RFC 3261 16.6 steps 6 and 7). */
export class NextHop {
  readonly #myself: MyselfService;
  readonly #locator: Locator;
  readonly #families: Families;
  readonly #ownRoutes: OwnRouteService | null;
  readonly #parsed = new BoundedCache<Hop>(MAX_PARSED_HOPS);

  constructor(options: {
    readonly myself: MyselfService;
    readonly resolver: Resolver;
    /** For NAPTR and SRV records; null: names have addresses only. */
    readonly dns?: DnsQueries | null;
    readonly families: Families;
    /** Reads what Routes that name this proxy say; null: nothing more than that. */
    readonly ownRoutes?: OwnRouteService | null;
  }) {
    this.#myself = options.myself;
    this.#families = options.families;
    this.#ownRoutes = options.ownRoutes ?? null;
    this.#locator = new Locator({
      resolver: options.resolver,
      dns: options.dns ?? null,
      families: options.families,
    });
  }

  resolve(request: SipRequest): Resolution | Promise<Resolution> {
    if (request.nextHop === null && request.flow === null) {
      const fault = this.#takeOwnRoutes(request);
      if (fault !== null) return fault;
    }
    if (request.flow !== null) return onFlow(request, request.flow);
    const { nextHop } = request;
    if (nextHop !== null) return this.#locate(nextHop, request);
    const top = topRoute(request);
    if (top === null) return this.#toRequestUri(request);
    return uriParam(top, 'lr') === null
      ? this.#toStrictRouter(request, top)
      : this.#locate(top.text, request);
  }

  /** Takes Routes that name this proxy off the top (16.4; `loose_route` has done so where a handler calls it). */
  #takeOwnRoutes(request: SipRequest): Failure | null {
    for (;;) {
      const routes = request.routes();
      if (!routes.ok) return failure(`Route: ${routes.reason}`, 400);
      const top = routes.value[0];
      if (top === undefined) return null;
      const { uri } = top.nameAddr;
      if (!uri.ok) return failure(`Route: ${uri.reason}`, 400);
      if (!this.#myself.isMyselfUri(uri.value)) return null;
      request.removeRoute(0);
      this.#ownRoutes?.read(request, uri.value);
    }
  }

  /** A maddr that only brought the request here leads no further (16.4). */
  #toRequestUri(request: SipRequest): Resolution | Promise<Resolution> {
    const { parsedUri: uri, received } = request;
    const plain = uri.ok ? this.#myself.withoutOwnMaddr(uri.value, received.point) : null;
    if (plain === null) return this.#locate(request.uri, request);
    const rewritten = request.fork();
    rewritten.uri = plain;
    return withRequest(this.#locate(plain, request), rewritten);
  }

  /** A strict router wants itself in the Request-URI, and the real one last in the route set (16.6 step 6): in this branch alone. */
  #toStrictRouter(request: SipRequest, { text }: Uri): Resolution | Promise<Resolution> {
    const rewritten = request.fork();
    rewritten.appendRoute(request.uri);
    rewritten.removeRoute(0);
    rewritten.uri = text;
    return withRequest(this.#locate(text, request), rewritten);
  }

  #locate(uri: string, { callId, uri: requestUri }: SipRequest): Resolution | Promise<Resolution> {
    const hop = this.#hop(uri, SIPS.test(requestUri));
    if ('ok' in hop) return hop;
    const located = this.#locator.locate(hop.wanted, callId);
    if (located instanceof Promise) return located.then((found) => resolution(hop, found));
    return resolution(hop, located);
  }

  /** `isForSips`: for a request with a SIPS Request-URI, whose next hop is taken for a SIPS URI whatever it is (16.6 step 7). */
  #hop(text: string, isForSips: boolean): Hop {
    const key = isForSips ? `sips ${text}` : text;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const hop = this.#parse(text, isForSips);
    this.#parsed.set(key, hop);
    return hop;
  }

  #parse(text: string, isForSips: boolean): Hop {
    const parsed: Parsed<Uri> = parseUri(text);
    if (!parsed.ok) return failure(`next hop URI: ${parsed.reason}`, 400);
    const uri = parsed.value;
    if (uri.scheme !== 'sip' && uri.scheme !== 'sips')
      return failure(`no way to reach a ${uri.scheme} URI`, 416);
    const isSecure = isForSips || uri.scheme === 'sips';
    const given = uriParam(uri, 'transport') || null;
    const transport = given ?? (isSecure ? 'tls' : 'udp');
    const named = protocolOf(transport);
    // A SIPS URI's `tcp` is what TLS runs over (RFC 3261 26.2.2), and so is its `ws` (RFC 7118 5.1).
    const protocol = isSecure && named !== null ? SECURE[named] : named;
    if (protocol === null)
      return failure(
        isSecure && named !== null
          ? `nothing secure goes over ${transport}`
          : `no listen address for transport ${transport}`,
      );
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

/** The URI of the topmost Route; null without one. Only asked once no Route on top is at fault. */
function topRoute(request: SipRequest): Uri | null {
  const routes = request.routes();
  const uri = routes.ok ? routes.value[0]?.nameAddr.uri : undefined;
  return uri?.ok === true ? uri.value : null;
}

function onFlow({ parsedUri: uri }: SipRequest, flow: FlowRoute): Resolution {
  if (!flow.ok) return failure(flow.reason, 403);
  const { target } = flow;
  if (uri.ok && uri.value.scheme === 'sips' && SECURE[target.protocol] !== target.protocol)
    return failure(`a SIPS request does not leave by a flow over ${target.protocol}`);
  return { ok: true, target };
}

function withRequest(
  found: Resolution | Promise<Resolution>,
  rewritten: SipRequest,
): Resolution | Promise<Resolution> {
  if (found instanceof Promise) return found.then((each) => withRequest(each, rewritten));
  return found.ok ? { ...found, rewritten } : found;
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
