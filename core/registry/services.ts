import type { Clock } from '../clock.ts';
import type { ListenPoint, Received, Target } from '../sip/hop.ts';
import type { SipRequest, SipResponse } from '../sip/message.ts';
import type { Uri } from '../sip/uri.ts';
import type { MetricsService } from './metrics.ts';
import type { Avps, Scope } from './scope.ts';

/** What the core offers to modules; implemented to the right of this layer and handed to `init`. */
export interface CoreServices {
  readonly clock: Clock;
  /** A token that no one can guess: `length` chars of [0-9a-z]. */
  randomToken(length: number): string;
  /**
   * The To tag for replies to a request that are sent without state: the same when the request comes again (RFC 3261 8.2.7). The ACK of a
   * negative one ends at the core, which knows it by this tag.
   */
  statelessTag(request: SipRequest): string;
  readonly transport: TransportService;
  readonly myself: MyselfService;
  readonly handlers: HandlerService;
  readonly forwarding: ForwardingService;
  readonly formats: FormatService;
  /** What Routes of this proxy's own say. */
  readonly ownRoutes: OwnRouteService;
  /** What makes flow tokens, or null while nothing does: for the user part of Path and Record-Route (RFC 5626). */
  readonly flowTokens: FlowTokens | null;
  /** Has flow tokens made by this. */
  setFlowTokens(tokens: FlowTokens): void;
  /** SIP extensions that a Proxy-Require may name: their option tags in lower case (RFC 3261 16.3 step 5). Modules add theirs. */
  readonly extensions: Set<string>;
  /** Where modules declare what they count. */
  readonly metrics: MetricsService;
  /** The transaction layer, or null while there is none. */
  readonly transactions: TransactionLayer | null;
  /** Puts a transaction layer between transport and routes. One only. */
  setTransactionLayer(layer: TransactionLayer): void;
}

export interface TransportService {
  readonly points: readonly ListenPoint[];
  /** Sends bytes. `onError` is called at most once, never before `send` returns, when they could not be sent. */
  send(bytes: Buffer, target: Target, onError?: (error: Error) => void): void;
  /** Sends a reply to where RFC 3261 18.2.2 and RFC 3581 4 want it, from the socket its request came in by. */
  reply(request: SipRequest, bytes: Buffer, onError?: (error: Error) => void): void;
  /** Where `reply` sends to, for one who keeps no request. */
  replyTarget(request: SipRequest): Target;
  /**
   * The listen point to reach a target by, or null when none fits its protocol and family. Of several that fit, one on the network that the
   * target is on; `preferred` if it is.
   */
  pointFor(target: Target, preferred?: ListenPoint): ListenPoint | null;
}

/** Whether an address is this proxy's own: listen addresses, advertised names, `alias` (Kamailio: myself). Port null: any. */
export interface MyselfService {
  isMyself(host: string, port: number | null): boolean;
  isMyselfUri(uri: Uri): boolean;
  /** A Request-URI without the `maddr` that brought the request to this listen point (RFC 3261 16.4); null when it has none. */
  withoutOwnMaddr(uri: Uri, point: ListenPoint): string | null;
}

/**
 * Reads a Route of this proxy's own that has been taken off a request, or a Request-URI that stood for one, for what it says beyond an
 * address: it may set the request's `flow` or `nextHop`.
 */
export type OwnRouteReader = (request: SipRequest, uri: Uri) => void;

/** The Routes of a request that name this proxy: whoever takes one off has it read here. */
export interface OwnRouteService {
  /** Adds one that reads them all. */
  add(reader: OwnRouteReader): void;
  read(request: SipRequest, uri: Uri): void;
}

/** Makes tokens by which later requests find the flow of an earlier one (RFC 5626 5.2). */
export interface FlowTokens {
  /** The token of the flow a request came by; null when the request does not want to be reached by it. */
  tokenOf(request: SipRequest): string | null;
}

/** Which handlers a scope may name, and how they are run. */
export type NamedRouteKind = 'onreply' | 'failure' | 'branch';
export interface HandlerService {
  has(kind: NamedRouteKind, name: string): boolean;
  /**
   * Makes sure that a handler exists which a function is asked to arm.
   *
   * @throws ERR_ROUTE_NAME with the nearest name.
   */
  mustHave(kind: NamedRouteKind, name: string, by: { readonly fn: string; readonly scope: Scope }): void;
  /** Whether the routes have a `reply` handler. */
  readonly hasReplyHandler: boolean;
  /**
   * Runs a named handler (`name` null with kind 'reply'). Errors and the time limit are dealt with inside: logged with file:line.
   * Returns whether it ended well; a promise only when the handler waited for something.
   */
  run(scope: Scope, name: string | null): boolean | Promise<boolean>;
}

export type Resolution =
  | {
      readonly ok: true;
      readonly target: Target;
      /** Where else the request may go when the target fails, in the order to try (RFC 3263 4.3); left out where there is none. */
      readonly alternatives?: readonly Target[];
      /** The request as this branch of it has to leave, where that is not the one given: for a strict router (RFC 3261 16.6 step 6). */
      readonly rewritten?: SipRequest;
    }
  | { readonly ok: false; readonly reason: string; readonly status: 400 | 403 | 416 | 440 | 478 | 483 };

/** What forwarding a request takes, whether with a transaction or without (RFC 3261 16.6). */
export interface ForwardingService {
  /** The next hop of a request: its flow, else $du, else its topmost Route, else its Request-URI; resolved. Numeric addresses come back at once. */
  resolve(request: SipRequest): Resolution | Promise<Resolution>;
  /** Prints the request with Max-Forwards lowered and a Via with this branch on top. */
  print(request: SipRequest, options: PrintOptions): Printed;
  /**
   * Prints a request for the transport that its size asks for: one for UDP that is too large goes by TCP where an address listens for that
   * (RFC 3261 18.1.1). The last of what is returned is for a next hop that takes no connection: the same for UDP.
   */
  printFitting(request: SipRequest, options: PrintOptions): readonly [Fitting, ...Fitting[]];
  /** Prints a response to send on: our Via removed, edits applied. `out` is the socket it will leave by. */
  printResponse(response: SipResponse, out: ListenPoint): Buffer;
  /** Sends a response on by the Via under the top one, which is removed (16.7 steps 9 and 10). False when there is none. */
  forwardResponse(response: SipResponse, onError?: (error: Error) => void): boolean;
  /**
   * Sends a request on without state (16.11). Resolves to false when it could not be sent, and has not been answered: only a flow that is gone
   * and a token that is false are answered here, with 430 and 403 (RFC 5626 5.3.1).
   */
  forwardStateless(request: SipRequest): boolean | Promise<boolean>;
}
export interface PrintOptions {
  readonly branch: string;
  readonly target: Target;
  /** The Request-URI of this branch. */
  readonly uri: string;
  readonly edits: SipRequest['edits'];
  /** Concurrent branches that this one may spawn further on (RFC 5393); all that the request may when left out. */
  readonly maxBreadth?: number | undefined;
}
/** A request printed for a target. */
export interface Fitting {
  readonly printed: Printed;
  readonly target: Target;
}
export interface Printed {
  readonly bytes: Buffer;
  readonly point: ListenPoint;
  /** Via value put on top, for the branch's ACK and CANCEL. */
  readonly via: string;
}

/** Pseudo-variable formats: `"$rm from $si, counter $mct(cnt)"`, compiled once and cached within a bound. */
export interface FormatService {
  /** Expands to text; a promise only when a variable inside has to wait. Null variables print `<null>`. */
  expand(scope: Scope, format: string): string | Promise<string>;
  /** The same for text that names something: @throws ERR_PV_NULL_IN_KEY when a variable inside is null, so that no two share a key. */
  expandKey(scope: Scope, format: string): string | Promise<string>;
  /** Value of one variable, `$mct(test)` (KEMI: ksr.pv.get). @throws ERR_PV_UNKNOWN, ERR_PV_SYNTAX. */
  get(scope: Scope, name: string): PvResult | Promise<PvResult>;
  /** Sets one variable; null deletes. What its module answers comes back. @throws ERR_PV_UNKNOWN, ERR_PV_SYNTAX, ERR_PV_READ_ONLY. */
  set(
    scope: Scope,
    name: string,
    value: PvResult,
  ): PvResult | boolean | void | Promise<PvResult | boolean | void>;
}
/** The value of a pseudo-variable that is read or set by name. */
export type PvResult = string | number | bigint | null;

/** The module that keeps transactions (tm) implements this; without one the proxy is stateless. */
export interface TransactionLayer {
  /**
   * Takes a request before its handler runs. 'absorbed': a retransmission or hop-by-hop ACK, dealt with. Otherwise the transaction
   * the handler runs for (null for an ACK of a 2xx), with the AVPs that go with it. `hasRoom` is asked of a request that is new; without room: 'overload'.
   */
  request(
    request: SipRequest,
    hasRoom: (request: SipRequest) => boolean,
  ): 'absorbed' | 'overload' | { readonly transaction: object | null; readonly avps: Avps };
  /** The request's handler has ended: well, or by an error ('failed': answer 500). */
  ended(scope: Scope, outcome: 'ended' | 'failed'): void;
  /** Takes a response. False when no client transaction matches. */
  response(response: SipResponse): boolean;
  /** Requests that have no final reply yet: a proxy that stops waits for them. */
  readonly active: number;
  /** A stateful reply to the scope's request. False when there is no transaction or it has a final reply already. */
  reply(scope: Scope, status: number, reason: string): boolean;
  /** Whether the scope's request has been answered with state, but for a 100, or sent on: a reply without state would be one too many. */
  hasBegun(scope: Scope): boolean;
  /** Ends all requests that have no final reply, for a proxy that stops: what rings is cancelled, failure handlers run. Returns how many there were. */
  giveUp(): number;
}

/** What arrives from the wire. */
export type MessageSink = (bytes: Buffer, received: Received) => void;
