/** The public face of kamaiki: what modules and routes import. */
export type { Clock, Timer } from './clock.ts';
export { errors, ProxyError, ProxyErrors, type Place } from './errors.ts';
export type { Logger, LogFields, LogLevel } from './log.ts';
export { Histogram } from './registry/histogram.ts';
export type * from './registry/metrics.ts';
export * from './registry/module.ts';
export { param, type Param, type ParamSchema, type ParamValues } from './registry/params.ts';
export { promiseOf } from './registry/promise-of.ts';
export { defineRoutes, type Routes } from './registry/routes.ts';
export { Avps, Scope, type PvValue, type RouteKind } from './registry/scope.ts';
export { Secret } from './registry/secret.ts';
export type * from './registry/services.ts';
export { shownTyped } from './registry/shown.ts';
export { BoundedCache } from './routing/bounded-cache.ts';
export { Slot, type SlotOwner } from './slot.ts';
export { Edits, type EditText } from './sip/edits.ts';
export { flatText } from './sip/flat-text.ts';
export { Header, type HeaderId } from './sip/header-names.ts';
export type { FlowRoute, ListenPoint, Protocol, Received, Target } from './sip/hop.ts';
export { incomingMaxBreadth } from './sip/max-breadth.ts';
export {
  type CSeq,
  parseMessage,
  type RouteValue,
  SipMessage,
  SipRequest,
  SipResponse,
} from './sip/message.ts';
export type { HeadText } from './sip/head-text.ts';
export { headerParam, type NameAddr, parseNameAddr, parseNameAddrs } from './sip/name-addr.ts';
export { forceRport } from './sip/received.ts';
export { hasMagicCookie, MAGIC_COOKIE } from './sip/magic-cookie.ts';
export { buildReply, hasFurtherVia, reasonPhrase, type ReplyOptions } from './sip/reply.ts';
export { buildAck, buildCancel, changedLinesOf, type Outgoing, routeLinesOf } from './sip/request.ts';
export type { Malformed, Parsed } from './sip/result.ts';
export { decodeText, encodeText } from './sip/text.ts';
export {
  type Param as UriParam,
  parseUri,
  printParams,
  printUri,
  subscriberParams,
  type Uri,
  uriEquals,
  uriParam,
} from './sip/uri.ts';
export type { Via } from './sip/via.ts';
