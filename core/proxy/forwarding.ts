import type { Logger } from '../log.ts';
import type {
  Fitting,
  ForwardingService,
  Printed,
  PrintOptions,
  Resolution,
  TransportService,
} from '../registry/services.ts';
import { type ListenPoint, protocolOf, type Target } from '../sip/hop.ts';
import { readDecimal } from '../sip/chars.ts';
import { incomingMaxBreadth, withMaxBreadth } from '../sip/max-breadth.ts';
import type { SipRequest, SipResponse } from '../sip/message.ts';
import { paramValue } from '../sip/params.ts';
import { printRequest, printResponse } from '../sip/print.ts';
import { responseHop, type ResponseHop } from '../sip/reply.ts';
import type { Resolved, Resolver } from '../transport/resolver.ts';
import type { NextHop } from './next-hop.ts';
import { isStatelessBranch, statelessBranch } from './stateless-branch.ts';

/** Max-Forwards of a request that came without (RFC 3261 16.6 step 3). */
const DEFAULT_MAX_FORWARDS = 70;

/** The largest request that goes by UDP where TCP will do as well, bytes: no one knows what the path takes in one piece (RFC 3261 18.1.1). */
const MAX_DATAGRAM_BYTES = 1_300;

/** Forwards requests and responses: what RFC 3261 16.6, 16.7 and 16.11 ask of every forwarded message. */
export class Forwarding implements ForwardingService {
  readonly #transport: TransportService;
  readonly #nextHop: NextHop;
  readonly #resolver: Resolver;
  readonly #log: Logger;
  /** Requests have been forwarded without state that responses will come to: neither ACK, nor a CANCEL, which the INVITE's response tells about. */
  #isStateless = false;

  constructor(options: {
    readonly transport: TransportService;
    readonly nextHop: NextHop;
    readonly resolver: Resolver;
    readonly log: Logger;
  }) {
    this.#transport = options.transport;
    this.#nextHop = options.nextHop;
    this.#resolver = options.resolver;
    this.#log = options.log;
  }

  resolve(request: SipRequest): Resolution | Promise<Resolution> {
    if (!request.maxForwardsDone && request.maxForwards === 0) {
      return { ok: false, reason: 'Max-Forwards is 0', status: 483 };
    }
    if (incomingMaxBreadth(request) === 0) return { ok: false, reason: 'Max-Breadth is 0', status: 440 };
    const resolution = this.#nextHop.resolve(request);
    if (resolution instanceof Promise) return resolution.then((found) => this.#reachable(request, found));
    return this.#reachable(request, resolution);
  }

  /** The socket is part of the answer: targets that no listen address can reach are passed over. */
  #reachable(request: SipRequest, resolution: Resolution): Resolution {
    if (!resolution.ok) return resolution;
    const first = this.#withSocket(request, resolution.target);
    if (resolution.alternatives === undefined && first !== null) return { ok: true, target: first };
    const others = (resolution.alternatives ?? []).map((each) => this.#withSocket(request, each));
    const [target, ...alternatives] = [first, ...others].filter((each) => each !== null);
    if (target !== undefined)
      return alternatives.length === 0 ? { ok: true, target } : { ok: true, target, alternatives };
    const { protocol, address } = resolution.target;
    return { ok: false, reason: `no listen address reaches ${protocol}:${address}`, status: 478 };
  }

  #withSocket(request: SipRequest, { protocol, address, port, host }: Target): Target | null {
    const point = this.#transport.pointFor({ protocol, address, port, host }, request.received.point);
    return point === null ? null : { protocol, address, port, host, point };
  }

  print(request: SipRequest, { branch, target, uri, edits, maxBreadth }: PrintOptions): Printed {
    const point = target.point ?? request.received.point;
    const via = `SIP/2.0/${point.protocol.toUpperCase()} ${point.sentBy};branch=${branch}`;
    const maxForwards = request.maxForwardsDone
      ? null
      : (request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1;
    // RFC 5393 5.3.3: every request that is forwarded has a Max-Breadth; 5.4.1: a CANCEL needs none.
    const complete =
      request.method === 'CANCEL'
        ? edits
        : withMaxBreadth(request, edits, maxBreadth ?? incomingMaxBreadth(request));
    const bytes = printRequest(request, { uri, edits: complete, via, out: point, maxForwards });
    return { bytes, point, via };
  }

  printFitting(request: SipRequest, options: PrintOptions): readonly [Fitting, ...Fitting[]] {
    const { target } = options;
    const printed = this.print(request, options);
    const fitting = { printed, target };
    if (target.protocol !== 'udp' || printed.bytes.length <= MAX_DATAGRAM_BYTES) return [fitting];
    const { address, port } = target;
    const point = this.#transport.pointFor({ protocol: 'tcp', address, port });
    if (point === null) return [fitting];
    const other: Target = { protocol: 'tcp', address, port, point };
    return [{ printed: this.print(request, { ...options, target: other }), target: other }, fitting];
  }

  printResponse(response: SipResponse, out: ListenPoint): Buffer {
    return printResponse(response, out);
  }

  forwardResponse(response: SipResponse, onError?: (error: Error) => void): boolean {
    const hop = responseHop(response);
    if (hop === null) return false;
    const address = this.#resolver.resolve(hop.host);
    if (address instanceof Promise) {
      void address.then((found) => this.#sendResponse(response, { hop, found, onError }));
      return true;
    }
    return this.#sendResponse(response, { hop, found: address, onError });
  }

  #sendResponse(
    response: SipResponse,
    {
      hop,
      found,
      onError,
    }: { hop: ResponseHop; found: Resolved; onError: ((error: Error) => void) | undefined },
  ): boolean {
    if (!found.ok) return false;
    const protocol = protocolOf(hop.transport);
    if (protocol === null) return false;
    const flow = flowIn(response.topVia);
    const target: Target = { protocol, address: found.address, port: hop.port, flow };
    const point = this.#transport.pointFor(target, response.received.point);
    if (point === null) return false;
    this.#transport.send(printResponse(response, point), { ...target, point }, onError);
    return true;
  }

  /** Whether a response may belong to a request that was forwarded without state while there was a transaction layer. */
  isForStateless({ topVia }: SipResponse): boolean {
    return this.#isStateless && topVia.branch !== null && isStatelessBranch(topVia.branch);
  }

  forwardStateless(request: SipRequest): boolean | Promise<boolean> {
    if (request.method !== 'ACK' && request.method !== 'CANCEL') this.#isStateless = true;
    const resolution = this.resolve(request);
    if (resolution instanceof Promise) return resolution.then((found) => this.#sendStateless(request, found));
    return this.#sendStateless(request, resolution);
  }

  #sendStateless(request: SipRequest, resolution: Resolution): boolean {
    if (!resolution.ok) {
      this.#log.info('request has no next hop', {
        callId: request.callId,
        method: request.method,
        reason: resolution.reason,
      });
      return false;
    }
    const { target } = resolution;
    const { uri, edits } = request;
    const branch = `${statelessBranch(request, `${uri}|${target.address}:${target.port}`)}${flowParam(request)}`;
    const [first, otherwise] = this.printFitting(request, { branch, target, uri, edits });
    const { callId, method } = request;
    const failed = (error: Error): void => {
      this.#log.info('request could not be sent', { callId, method, error: error.message });
    };
    this.#transport.send(first.printed.bytes, first.target, (error) => {
      if (otherwise === undefined) failed(error);
      else this.#transport.send(otherwise.printed.bytes, otherwise.target, failed);
    });
    return true;
  }
}

/** Name of the parameter of our Via that names the connection a request came by, when no transaction does; Kamailio's. */
const FLOW_PARAM = 'i';

/** So that the response finds the connection of its request (RFC 3261 18.2.2). */
function flowParam({ received: { flow } }: SipRequest): string {
  return flow === 0 ? '' : `;${FLOW_PARAM}=${flow}`;
}

/** The connection that our Via of a response names; 0: none. */
function flowIn(via: SipResponse['topVia']): number {
  const text = paramValue(via.params, FLOW_PARAM);
  const flow = text === null ? 0 : readDecimal(text, 0, text.length, Number.MAX_SAFE_INTEGER);
  return Math.max(flow, 0);
}
