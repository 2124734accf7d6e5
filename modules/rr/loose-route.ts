import {
  type MyselfService,
  printUri,
  type RouteValue,
  type SipRequest,
  type Uri,
  uriParam,
} from '../../core/index.ts';

/** Default ports (RFC 3261 19.1.2). */
const SIP_PORT = 5060;
const SIPS_PORT = 5061;

/** What processing the Route headers of a request came to. */
export interface LooseRouted {
  /** Whether the Route headers say where the request goes. */
  readonly followed: boolean;
  /** The proxy's own URI that was taken from the request; null when the topmost Route was another's. */
  readonly own: Uri | null;
}

/**
 * Takes what concerns this proxy from Request-URI and Route, and sets the next hop (RFC 3261 16.4, 16.6 step 6).
 * Changes nothing when a Route is malformed.
 */
export function looseRoute(request: SipRequest, myself: MyselfService): LooseRouted {
  const received = request.routes();
  if (!received.ok || !received.value.every((route) => route.nameAddr.uri.ok)) return NOT_FOLLOWED;

  const fromUri = restoreRequestUri(request, received.value, myself);
  stripOwnMaddr(request, myself);
  if (received.value.length === 0) return NOT_FOLLOWED;
  const fromRoute = removeOwnRoutes(request, myself);
  const own = fromUri ?? fromRoute;

  const next = topRoute(request);
  // As in Kamailio: a first request with no Route but ours is to be routed like one without.
  if (next === null) return { followed: request.toTag !== '', own };
  request.nextHop = next.nameAddr.uriText;
  if (!isLoose(uriOf(next))) sendToStrictRouter(request, next);
  return { followed: true, own };
}

const NOT_FOLLOWED: LooseRouted = { followed: false, own: null };

/**
 * Undoes what a strict router before us did: it put our Record-Route URI into the Request-URI and the real one at the end of the
 * Route set (16.4, first paragraph). An `lr` tells our URI from that of a user at our address.
 */
function restoreRequestUri(
  request: SipRequest,
  routes: readonly RouteValue[],
  myself: MyselfService,
): Uri | null {
  const last = routes.at(-1);
  const uri = request.parsedUri;
  if (last === undefined || !uri.ok || !isLoose(uri.value) || !myself.isMyselfUri(uri.value)) return null;
  request.uri = last.nameAddr.uriText;
  request.removeRoute(routes.length - 1);
  return uri.value;
}

/** Removes a maddr that brought the request here, with the port and transport that go with it (16.4, second paragraph). */
function stripOwnMaddr(request: SipRequest, myself: MyselfService): void {
  const parsed = request.parsedUri;
  if (!parsed.ok) return;
  const uri = parsed.value;
  const maddr = uriParam(uri, 'maddr');
  if (maddr === null) return;
  const transport = (uriParam(uri, 'transport') ?? (uri.scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
  const port = uri.port ?? (transport === 'tls' ? SIPS_PORT : SIP_PORT);
  const { point } = request.received;
  if (transport !== point.protocol || port !== point.port || !myself.isMyself(maddr, port)) return;
  const params = uri.params.filter(({ name }) => name !== 'maddr' && name !== 'transport');
  request.uri = printUri({ ...uri, port: null, params });
}

/** Removes the topmost Route when it is ours (16.4, last paragraph), and its twin when we put two there (r2). */
function removeOwnRoutes(request: SipRequest, myself: MyselfService): Uri | null {
  const top = topRoute(request);
  if (top === null || !myself.isMyselfUri(uriOf(top))) return null;
  const own = uriOf(top);
  request.removeRoute(0);
  if (!isDouble(own)) return own;
  const second = topRoute(request);
  if (second !== null && isDouble(uriOf(second)) && myself.isMyselfUri(uriOf(second))) request.removeRoute(0);
  return own;
}

/** The next hop does not know `lr`: it wants itself in the Request-URI, and the real one last in the Route set (16.6 step 6). */
function sendToStrictRouter(request: SipRequest, next: RouteValue): void {
  request.appendRoute(request.uri);
  request.uri = next.nameAddr.uriText;
  request.removeRoute(0);
}

function topRoute(request: SipRequest): RouteValue | null {
  const routes = request.routes();
  return routes.ok ? (routes.value[0] ?? null) : null;
}

function uriOf(route: RouteValue): Uri {
  const { uri } = route.nameAddr;
  if (!uri.ok) throw new Error('looseRoute has checked that every Route has a well-formed URI');
  return uri.value;
}

function isLoose(uri: Uri): boolean {
  return uriParam(uri, 'lr') !== null;
}

function isDouble(uri: Uri): boolean {
  return uriParam(uri, 'r2') !== null;
}
