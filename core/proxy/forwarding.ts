import type { Logger } from '../log.ts';
import type {
  Fitting,
  ForwardingService,
  Printed,
  PrintOptions,
  Resolution,
  TransportService,
} from '../registry/services.ts';
import { type ListenPoint, type Protocol, protocolOf, type Target } from '../sip/hop.ts';
import { readDecimal } from '../sip/chars.ts';
import { flatText } from '../sip/flat-text.ts';
import { incomingMaxBreadth, withMaxBreadth } from '../sip/max-breadth.ts';
import type { SipRequest, SipResponse } from '../sip/message.ts';
import { paramValue } from '../sip/params.ts';
import { printRequest, printResponse } from '../sip/print.ts';
import { buildReply, reasonPhrase, responseHop, type ResponseHop } from '../sip/reply.ts';
import { familyOf } from '../transport/addresses.ts';
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
  readonly #tagOf: (request: SipRequest) => string;
  /** Requests have been forwarded without state that responses will come to: no ACK, and CANCELs apart, since anyone can send one that matches nothing. */
  #isStateless = false;
  #hasStatelessCancels = false;

  constructor(options: {
    readonly transport: TransportService;
    readonly nextHop: NextHop;
    readonly resolver: Resolver;
    readonly log: Logger;
    /** To tag of replies without state. */
    readonly tagOf: (request: SipRequest) => string;
  }) {
    this.#transport = options.transport;
    this.#nextHop = options.nextHop;
    this.#resolver = options.resolver;
    this.#log = options.log;
    this.#tagOf = options.tagOf;
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
    // A flow has its socket.
    if (!resolution.ok || resolution.target.onlyFlow === true) return resolution;
    const { rewritten } = resolution;
    const found = this.#fromSockets(request, resolution);
    return rewritten === undefined || !found.ok ? found : { ...found, rewritten };
  }

  #fromSockets(request: SipRequest, resolution: Extract<Resolution, { ok: true }>): Resolution {
    const first = this.#withSocket(request, resolution.target);
    if (resolution.alternatives === undefined && first !== null) return { ok: true, target: first };
    const others = (resolution.alternatives ?? []).map((each) => this.#withSocket(request, each));
    const [target, ...alternatives] = [first, ...others].filter((each) => each !== null);
    if (target !== undefined)
      return alternatives.length === 0 ? { ok: true, target } : { ok: true, target, alternatives };
    const { protocol, address } = resolution.target;
    return { ok: false, reason: `no listen address reaches ${protocol}:${address}`, status: 478 };
  }

  #withSocket({ outPoint, received }: SipRequest, target: Target): Target | null {
    const point =
      outPoint !== null && reaches(outPoint, target)
        ? outPoint
        : this.#transport.pointFor(target, received.point);
    if (point === null) return null;
    const { protocol, address, port, host } = target;
    return { protocol, address, port, host, point, flow: undefined, onlyFlow: undefined };
  }

  print(request: SipRequest, { branch, target, uri, edits, maxBreadth }: PrintOptions): Printed {
    const point = target.point ?? request.received.point;
    const via = flatText(`${SENT_PROTOCOL[point.protocol]} ${point.sentBy};branch=${branch}`);
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
    const isFixed = target.protocol !== 'udp' || target.onlyFlow === true;
    if (isFixed || printed.bytes.length <= MAX_DATAGRAM_BYTES) return [fitting];
    const { address, port } = target;
    // Of several, the one beside the UDP socket that it would have left by.
    const beside = this.#transport.points.find(
      (each) => each.protocol === 'tcp' && each.address === printed.point.address,
    );
    const point = this.#transport.pointFor({ protocol: 'tcp', address, port }, beside);
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
    const flow = Math.max(numberIn(response.topVia, FLOW_PARAM), 0);
    const target: Target = { protocol, address: found.address, port: hop.port, flow };
    const wayIn = this.#transport.points[numberIn(response.topVia, POINT_PARAM)] ?? response.received.point;
    const point = reaches(wayIn, target) ? wayIn : this.#transport.pointFor(target, wayIn);
    if (point === null) return false;
    this.#transport.send(printResponse(response, point), { ...target, point }, onError);
    return true;
  }

  /** Whether a response may belong to a request that was forwarded without state while there was a transaction layer. */
  isForStateless({ topVia, cseq }: SipResponse): boolean {
    const isExpected = cseq.method === 'CANCEL' ? this.#hasStatelessCancels : this.#isStateless;
    return isExpected && topVia.branch !== null && isStatelessBranch(topVia.branch);
  }

  forwardStateless(request: SipRequest): boolean | Promise<boolean> {
    if (request.method === 'CANCEL') this.#hasStatelessCancels = true;
    else if (request.method !== 'ACK') this.#isStateless = true;
    const resolution = this.resolve(request);
    if (resolution instanceof Promise) return resolution.then((found) => this.#sendStateless(request, found));
    return this.#sendStateless(request, resolution);
  }

  #sendStateless(given: SipRequest, resolution: Resolution): boolean {
    const { callId, method } = given;
    if (!resolution.ok) {
      const { reason, status } = resolution;
      this.#log.info('request has no next hop', { callId, method, reason });
      if (status !== 403) return false;
      this.#answer(given, status);
      return true;
    }
    const { target, rewritten: request = given } = resolution;
    const { uri, edits } = request;
    const branch = `${statelessBranch(request, `${uri}|${target.address}:${target.port}`)}${this.#wayBack(request, target)}`;
    const [first, otherwise] = this.printFitting(request, { branch, target, uri, edits });
    const failed = (error: Error): void => {
      this.#log.info('request could not be sent', { callId, method, error: error.message });
      if (target.onlyFlow === true) this.#answer(request, 430);
    };
    this.#transport.send(first.printed.bytes, first.target, (error) => {
      if (otherwise === undefined) failed(error);
      else this.#transport.send(otherwise.printed.bytes, otherwise.target, failed);
    });
    return true;
  }

  /** What a flow comes to that cannot be used (RFC 5626 5.3.1); an ACK is never answered. */
  #answer(request: SipRequest, status: 403 | 430): void {
    if (request.method === 'ACK') return;
    const reply = buildReply(request, status, reasonPhrase(status), { toTag: this.#tagOf(request) });
    this.#transport.reply(request, reply);
  }

  /**
   * Parameters of our Via by which the response finds the connection of its request (RFC 3261 18.2.2), and the socket where it is not the
   * one that the response comes in by (RFC 3581 4).
   */
  #wayBack({ received: { flow, point } }: SipRequest, target: Target): string {
    const connection = flow === 0 ? '' : `;${FLOW_PARAM}=${flow}`;
    if (target.point === undefined || target.point === point) return connection;
    return `${connection};${POINT_PARAM}=${this.#transport.points.indexOf(point)}`;
  }
}

/** What a Via begins with (RFC 3261 20.42, RFC 7118 5.2). */
const SENT_PROTOCOL: Readonly<Record<Protocol, string>> = {
  udp: 'SIP/2.0/UDP',
  tcp: 'SIP/2.0/TCP',
  tls: 'SIP/2.0/TLS',
  ws: 'SIP/2.0/WS',
  wss: 'SIP/2.0/WSS',
};

/** Name of the parameter of our Via that names the connection a request came by, when no transaction does; Kamailio's. */
const FLOW_PARAM = 'i';
/** Of the one that names the listen point a request came in by: its place in the list of all. */
const POINT_PARAM = 'p';

/** A number in our Via of a response; -1: none. */
function numberIn(via: SipResponse['topVia'], name: string): number {
  const text = paramValue(via.params, name);
  return text === null ? -1 : readDecimal(text, 0, text.length, Number.MAX_SAFE_INTEGER);
}

/** Whether a listen point is of a target's protocol and family. */
function reaches(point: ListenPoint, { protocol, address }: Target): boolean {
  return point.protocol === protocol && point.family === familyOf(address);
}
