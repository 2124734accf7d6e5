import { parseUri, type SipRequest, type Uri, uriParam } from '../../core/index.ts';
import { sourceUri } from './path-lines.ts';

/**
 * Sets the next hop to what `received` of a Route of our own names, unless other Routes or a flow say where to go, or it names where the
 * request came from: a user agent may use its Path as a Route of its own.
 */
export function readReceived(request: SipRequest, own: Uri): void {
  const source = uriParam(own, 'received');
  const routes = request.routes();
  if (source === null || request.flow !== null || !routes.ok || routes.value.length > 0) return;
  const uri = parseUri(source.replaceAll(/%3b/gi, ';').replaceAll(/%3d/gi, '='));
  if (!uri.ok || source === sourceUri(request.received)) return;
  request.nextHop = uri.value.text;
}
