import type { Logger } from '../log.ts';
import { Avps, Scope } from '../registry/scope.ts';
import type { TransactionLayer } from '../registry/services.ts';
import type { Handlers } from '../routing/handlers.ts';
import type { Lanes } from '../routing/lanes.ts';
import { Header } from '../sip/header-names.ts';
import type { Received } from '../sip/hop.ts';
import { checkMessage, parseMessage, type Rejected, SipRequest, type SipResponse } from '../sip/message.ts';
import { markReceived } from '../sip/print.ts';
import { buildReply, reasonPhrase } from '../sip/reply.ts';
import type { Services } from './services.ts';

/** Told to clients that the proxy cannot serve now, s (RFC 3261 20.33). */
const RETRY_AFTER = 'Retry-After: 5\r\n';

/** What the ingress counted since the start. */
export interface IngressCounters {
  requests: number;
  responses: number;
  /** Malformed messages, answered or dropped. */
  rejected: number;
  /** Requests answered with 503 because there was no room. */
  refused: number;
  /** Responses that belong to no transaction, or are not for this proxy. */
  stray: number;
}

export interface IngressOptions {
  readonly log: Logger;
  readonly core: Services;
  readonly handlers: Handlers;
  readonly lanes: Lanes;
  /** Those of CANCELs, and of responses that meet a `reply` handler: they end what waits, which must not keep them out. */
  readonly endingLanes: Lanes;
  /** Request handlers at work at one time, at most. */
  readonly maxHandlers: number;
}

/** Takes every message that arrives: checks it, finds its transaction, and runs the handlers in order. */
export class Ingress {
  readonly counters: IngressCounters = { requests: 0, responses: 0, rejected: 0, refused: 0, stray: 0 };
  /** Set by a proxy that stops: requests that begin something new get 503. */
  draining = false;
  readonly #options: IngressOptions;

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  receive(bytes: Buffer, received: Received): void {
    const parsed = parseMessage(bytes, received);
    if (!parsed.ok) return this.#reject(parsed, received);
    const { msg } = parsed;
    const rejected = checkMessage(msg);
    if (rejected !== null) return this.#reject(rejected, received);
    if (msg.kind === 'request') this.#request(msg);
    else this.#response(msg);
  }

  #reject({ msg, status, reason }: Rejected, received: Received): void {
    this.counters.rejected += 1;
    const { log } = this.#options;
    if (log.isEnabled('debug'))
      log.debug('malformed message', { from: `${received.address}:${received.port}`, reason });
    // An ACK is never answered (RFC 3261 17.1.1.3).
    if (status === null || !(msg instanceof SipRequest) || msg.method === 'ACK') return;
    this.#answer(msg, status, { reason: status === 400 ? `Bad Request (${reason})` : reasonPhrase(status) });
  }

  /** A reply without state. */
  #answer(request: SipRequest, status: number, { reason = reasonPhrase(status), headers = '' }): void {
    const { core } = this.#options;
    core.transport.reply(
      request,
      buildReply(request, status, reason, { toTag: core.statelessTag(request), headers }),
    );
  }

  #request(request: SipRequest): void {
    this.counters.requests += 1;
    markReceived(request);
    const { core, handlers, lanes, maxHandlers } = this.#options;
    const layer = core.transactions;
    const { method } = request;
    // A CANCEL makes room: it is taken as long as its lane has a place.
    const busy =
      method !== 'CANCEL' && (handlers.running >= maxHandlers || (this.draining && request.toTag === ''));
    const unsupported = request.find(Header.proxyRequire);
    if (unsupported !== -1 && method !== 'ACK' && method !== 'CANCEL') return this.#refuseExtensions(request);
    const taken = layer === null ? statelessly(busy) : layer.request(request, busy);
    if (taken === 'absorbed') return;
    if (taken === 'overload') return this.#refuse(request);
    if (core.isStatelessAck(request)) return;
    const scope = new Scope('request', request, {
      request,
      response: null,
      avps: taken.avps,
      transaction: taken.transaction,
    });
    // A CANCEL must not wait for the INVITE that it means; all else of one dialog from one side keeps its order.
    const queue = method === 'CANCEL' ? this.#options.endingLanes : lanes;
    if (!queue.run(`${request.callId}|${request.fromTag}`, () => this.#handle(scope, request, layer))) {
      this.#refuse(request);
      scope.settled = true;
      layer?.ended(scope, 'ended');
    }
  }

  /** 503 for a request that there is no room for; an ACK is dropped, as the RFC asks. */
  #refuse(request: SipRequest): void {
    this.counters.refused += 1;
    if (request.method !== 'ACK') this.#answer(request, 503, { headers: RETRY_AFTER });
  }

  /** This proxy knows no extension that a Proxy-Require could name (RFC 3261 16.3 step 5). */
  #refuseExtensions(request: SipRequest): void {
    let headers = '';
    for (let i = request.find(Header.proxyRequire); i !== -1; i = request.find(Header.proxyRequire, i)) {
      headers += `Unsupported: ${request.value(i)}\r\n`;
    }
    this.#answer(request, 420, { headers });
  }

  #handle(scope: Scope, request: SipRequest, layer: TransactionLayer | null): void | Promise<void> {
    const run = this.#options.handlers.runRequest(scope);
    if (run instanceof Promise) return run.then((well) => this.#handled(scope, request, { layer, well }));
    this.#handled(scope, request, { layer, well: run });
  }

  #handled(
    scope: Scope,
    request: SipRequest,
    { layer, well }: { layer: TransactionLayer | null; well: boolean },
  ): void {
    if (layer !== null && scope.transaction !== null) return layer.ended(scope, well ? 'ended' : 'failed');
    if (scope.settled || request.method === 'ACK') return;
    if (!well) return this.#answer(request, 500, {});
    this.#options.log.warn('the request handler neither replied nor relayed', {
      callId: request.callId,
      method: request.method,
    });
  }

  #response(response: SipResponse): void {
    this.counters.responses += 1;
    const { core, handlers, endingLanes } = this.#options;
    const via = response.topVia;
    // RFC 3261 18.1.2: a response whose top Via is not ours was sent astray.
    if (!core.myself.isMyself(via.host, via.port ?? (via.transport === 'TLS' ? 5061 : 5060))) {
      this.counters.stray += 1;
      return;
    }
    if (!handlers.hasReplyHandler) return this.#pass(response);
    const scope = new Scope('reply', response, {
      request: null,
      response,
      avps: new Avps(),
      transaction: null,
    });
    const key = `${response.callId}|${via.branch}`;
    const queued = endingLanes.run(key, () => {
      const after = () => {
        if (!scope.dropped) this.#pass(response);
      };
      const run = handlers.run(scope, null);
      if (run instanceof Promise) return run.then(after);
      after();
      return undefined;
    });
    if (!queued) this.counters.refused += 1;
  }

  #pass(response: SipResponse): void {
    const { transactions: layer, forwarding } = this.#options.core;
    if (layer?.response(response)) return;
    // RFC 6026 7.3: a proxy that keeps transactions forwards no stray response; without them all are forwarded by Via (16.11).
    const stateless = layer === null || forwarding.isForStateless(response);
    if (stateless && forwarding.forwardResponse(response)) return;
    this.counters.stray += 1;
  }
}

/** What a proxy without a transaction layer makes of a request. */
function statelessly(busy: boolean): ReturnType<TransactionLayer['request']> {
  return busy ? 'overload' : { transaction: null, avps: new Avps() };
}
