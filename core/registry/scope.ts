import type { SipRequest, SipResponse } from '../sip/message.ts';

/** The kinds of handler a routes file may have. */
export type RouteKind = 'request' | 'reply' | 'onreply' | 'failure' | 'branch';

/** What an AVP or script variable holds. */
export type PvValue = string | number | null;

/** AVPs live as long as their transaction: every handler run for it sees the same ones (Kamailio: $avp). */
export class Avps {
  #values: Map<string, PvValue[]> | null = null;
  /** What modules keep with the transaction (`Slot`). */
  slots: unknown[] | null = null;
  get(name: string): readonly PvValue[] {
    return this.#values?.get(name) ?? [];
  }
  /** Adds a value on top, as Kamailio's `$avp(x) = v` does. */
  push(name: string, value: PvValue): void {
    this.#values ??= new Map();
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.unshift(value);
  }
  clear(name: string): void {
    this.#values?.delete(name);
  }
}

/** One run of a handler: the message in hand, and what belongs to this run or to its transaction. */
export class Scope {
  readonly route: RouteKind;
  readonly msg: SipRequest | SipResponse;
  /** The request of the transaction: `msg` itself in request, branch and failure routes; null in `reply` and where it is unknown. */
  readonly request: SipRequest | null;
  /** The response in hand: `msg` in reply and onreply routes, the chosen final response in failure routes (null: none came). */
  readonly response: SipResponse | null;
  readonly avps: Avps;
  /** $var: lives for this run. Created when first set. */
  vars: Map<string, PvValue> | null = null;
  /** The transaction layer's own object for this message; null when there is none. Only that layer looks inside. */
  transaction: object | null;
  /** Set by whatever replied to the request or sent it on; a request handler that leaves it false is warned about. */
  settled = false;
  /** Complete header lines, as a byte string, for the replies that this run sends (Kamailio: append_to_reply). */
  replyHeaders = '';
  /** Set by a route that drops the reply (onreply, reply) or the branch. */
  dropped = false;
  constructor(
    route: RouteKind,
    msg: SipRequest | SipResponse,
    options: {
      readonly request: SipRequest | null;
      readonly response: SipResponse | null;
      readonly avps: Avps;
      readonly transaction: object | null;
    },
  ) {
    this.route = route;
    this.msg = msg;
    this.request = options.request;
    this.response = options.response;
    this.avps = options.avps;
    this.transaction = options.transaction;
  }
}
