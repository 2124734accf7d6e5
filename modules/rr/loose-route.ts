import { type CoreServices, type RouteValue, type SipRequest, type Uri, uriParam } from '../../core/index.ts';

/** What it takes of the core. */
type Core = Pick<CoreServices, 'myself' | 'ownRoutes'>;

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
export function looseRoute(request: SipRequest, core: Core): LooseRouted {
  const received = request.routes();
  if (!received.ok || !received.value.every((route) => route.nameAddr.uri.ok)) return NOT_FOLLOWED;

  const fromUri = restoreRequestUri(request, received.value, core);
  stripOwnMaddr(request, core);
  if (received.value.length === 0) return NOT_FOLLOWED;
  const fromRoute = removeOwnRoutes(request, core);
  const own = fromUri ?? fromRoute;
  // A flow goes before further Routes, which stay for whoever is at its other end (RFC 5626 5.3.1).
  if (request.flow !== null) return { followed: true, own };

  const next = topRoute(request);
  // As in Kamailio: a first request with no Route but ours is to be routed like one without.
  if (next === null) return { followed: request.toTag !== '', own };
  // What a strict router wants is done for each branch when it is sent.
  if (isLoose(uriOf(next))) request.nextHop = next.nameAddr.uriText;
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
  { myself, ownRoutes }: Core,
): Uri | null {
  const last = routes.at(-1);
  const uri = request.parsedUri;
  if (last === undefined || !uri.ok || !isLoose(uri.value) || !myself.isMyselfUri(uri.value)) return null;
  request.uri = last.nameAddr.uriText;
  request.removeRoute(routes.length - 1);
  ownRoutes.read(request, uri.value);
  return uri.value;
}

/** Removes a maddr that brought the request here, with the port and transport that go with it (16.4, second paragraph). */
function stripOwnMaddr(request: SipRequest, { myself }: Core): void {
  const uri = request.parsedUri;
  if (uri.ok) request.uri = myself.withoutOwnMaddr(uri.value, request.received.point) ?? request.uri;
}

/** Removes the topmost Route when it is ours (16.4, last paragraph), and its twin when we put two there (r2). */
function removeOwnRoutes(request: SipRequest, core: Core): Uri | null {
  const own = takeOwnRoute(request, core);
  if (own !== null && isDouble(own)) {
    const second = topRoute(request);
    if (second !== null && isDouble(uriOf(second))) takeOwnRoute(request, core);
  }
  return own;
}

/** Removes the topmost Route when it is ours, and has it read; null when it is not. */
function takeOwnRoute(request: SipRequest, { myself, ownRoutes }: Core): Uri | null {
  const top = topRoute(request);
  if (top === null) return null;
  const uri = uriOf(top);
  if (!myself.isMyselfUri(uri)) return null;
  request.removeRoute(0);
  ownRoutes.read(request, uri);
  return uri;
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
