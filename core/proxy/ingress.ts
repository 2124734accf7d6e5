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
import type { Admission } from './admission.ts';
import { type IngressCounters, methodSlot, newIngressCounters } from './ingress-counters.ts';
import { RecentHashes } from './recent-hashes.ts';
import type { Services } from './services.ts';
import { attemptHash } from './stateless-tag.ts';

/** Told to clients that the proxy cannot serve now, s (RFC 3261 20.33). */
const RETRY_AFTER = 'Retry-After: 5\r\n';

/** Refused requests whose retransmissions are told from others, by hash: one request in 262,144 is taken for another's retransmission. */
const MAX_REFUSED = 16_384;

const ACK_SLOT = methodSlot('ACK');

export interface IngressOptions {
  readonly log: Logger;
  readonly core: Services;
  readonly handlers: Handlers;
  readonly lanes: Lanes;
  /** Those of CANCELs, and of responses that meet a `reply` handler: they end what waits, which must not keep them out. */
  readonly endingLanes: Lanes;
  /** Request handlers at work at one time, at most. */
  readonly maxHandlers: number;
  /** Decides whether a request that begins something new is taken. */
  readonly admission: Admission;
}

/** Takes every message that arrives: checks it, finds its transaction, and runs the handlers in order. */
export class Ingress {
  readonly counters: IngressCounters = newIngressCounters();
  /** Set by a proxy that stops: requests that begin something new get 503. */
  draining = false;
  readonly #options: IngressOptions;
  readonly #refused = new RecentHashes(MAX_REFUSED);

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  receive(bytes: Buffer, received: Received): void {
    if (this.#options.core.isStatelessAck(bytes)) {
      this.counters.requests += 1;
      this.counters.byMethod[ACK_SLOT]! += 1;
      return;
    }
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
  #answer(
    request: SipRequest,
    status: number,
    { reason = reasonPhrase(status), headers = '', hash = attemptHash(request) },
  ): void {
    const { core } = this.#options;
    core.transport.reply(
      request,
      buildReply(request, status, reason, { toTag: core.statelessTagOf(hash), headers }),
    );
  }

  #request(request: SipRequest): void {
    this.counters.requests += 1;
    markReceived(request);
    const { core, lanes } = this.#options;
    const layer = core.transactions;
    const { method } = request;
    this.counters.byMethod[methodSlot(method)]! += 1;
    if (request.find(Header.proxyRequire) !== -1 && method !== 'ACK' && method !== 'CANCEL') {
      const unsupported = unsupportedBy(core.extensions, request);
      if (unsupported !== '')
        return this.#answer(request, 420, { headers: `Unsupported: ${unsupported}\r\n` });
    }
    const taken = layer === null ? this.#statelessly(request) : layer.request(request, this.#hasRoom);
    if (taken === 'absorbed') return;
    if (taken === 'overload') return this.#refuse(request);
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

  /** Whether one more request can be taken. A CANCEL makes room: it is taken as long as its lane has a place. */
  readonly #hasRoom = (request: SipRequest): boolean => {
    const { handlers, maxHandlers, admission } = this.#options;
    if (request.method === 'CANCEL') return true;
    if (handlers.running >= maxHandlers) return false;
    // What belongs to a dialog brings what has been begun to its end.
    if (request.toTag !== '' || request.method === 'ACK') return true;
    return !this.draining && admission.admit() && !this.#wasRefused(request);
  };

  /** What a proxy without a transaction layer makes of a request. */
  #statelessly(request: SipRequest): ReturnType<TransactionLayer['request']> {
    return this.#hasRoom(request) ? { transaction: null, avps: new Avps() } : 'overload';
  }

  /** 503 for a request that there is no room for; an ACK is dropped, as the RFC asks. */
  #refuse(request: SipRequest): void {
    this.counters.refused += 1;
    if (request.method === 'ACK') return;
    const hash = attemptHash(request);
    if (request.toTag === '') this.#refused.add(hash);
    this.#answer(request, 503, { headers: RETRY_AFTER, hash });
  }

  /** A retransmission gets what the request got (RFC 3261 8.2.7): its client has been told to try elsewhere, or later. */
  #wasRefused(request: SipRequest): boolean {
    return !this.#refused.isEmpty && this.#refused.has(attemptHash(request));
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
    this.counters.byClass[Math.floor(response.status / 100)]! += 1;
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

/** The extensions of Proxy-Require that are not among these, each once, as a list; '' when there is none (RFC 3261 16.3 step 5). */
function unsupportedBy(extensions: ReadonlySet<string>, request: SipRequest): string {
  const unsupported = new Map<string, string>();
  for (let i = request.find(Header.proxyRequire); i !== -1; i = request.find(Header.proxyRequire, i)) {
    for (const part of request.value(i).split(',')) {
      const option = part.trim();
      const name = option.toLowerCase();
      if (option !== '' && !extensions.has(name) && !unsupported.has(name)) unsupported.set(name, option);
    }
  }
  return [...unsupported.values()].join(', ');
}
