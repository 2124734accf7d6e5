import type { HandlerNames, ModuleName, RouteContext } from './module.ts';
import type { RouteKind } from './scope.ts';

/** What a handler may return: nothing counts but the end of the promise. `return ksr.sl.sl_send_reply(…)` stops it. */
type HandlerResult = unknown;

type Handler<U extends ModuleName, K extends RouteKind, N extends HandlerNames> = (
  ctx: RouteContext<U, K, N>,
) => HandlerResult;

interface Names<O extends string, F extends string, B extends string> extends HandlerNames {
  readonly onreply: O;
  readonly failure: F;
  readonly branch: B;
}

/** A routes file's default export. */
export interface Routes<
  U extends ModuleName = ModuleName,
  O extends string = string,
  F extends string = string,
  B extends string = string,
> {
  /** Modules these routes touch: types what a handler sees, and is checked against kamailio.yaml at start. */
  readonly uses: readonly U[];
  /** Every request that is no retransmission and no hop-by-hop ACK (Kamailio: request_route). */
  request(ctx: RouteContext<U, 'request', Names<O, F, B>>): HandlerResult;
  /** Every response, before its transaction sees it (Kamailio: reply_route). */
  reply?(ctx: RouteContext<U, 'reply', Names<O, F, B>>): HandlerResult;
  /** Armed by `t_on_reply` (Kamailio: onreply_route[NAME]). */
  readonly onreply?: { readonly [K in O]: Handler<U, 'onreply', Names<O, F, B>> };
  /** Armed by `t_on_failure` (Kamailio: failure_route[NAME]). */
  readonly failure?: { readonly [K in F]: Handler<U, 'failure', Names<O, F, B>> };
  /** Armed by `t_on_branch` (Kamailio: branch_route[NAME]). */
  readonly branch?: { readonly [K in B]: Handler<U, 'branch', Names<O, F, B>> };
}

/**
 * Declares the routes of a proxy. It only returns its argument: the types are the point.
 *
 * @example
 * export default defineRoutes({
 *   uses: ['tm'],
 *   async request({ ksr }) {
 *     await ksr.tm.t_relay();
 *   },
 * });
 */
export function defineRoutes<
  const U extends ModuleName,
  O extends string = never,
  F extends string = never,
  B extends string = never,
>(routes: Routes<U, O, F, B>): Routes<U, O, F, B> {
  return routes;
}
