import type { Logger } from '../log.ts';
import type {
  ForwardingService,
  Printed,
  PrintOptions,
  Resolution,
  TransportService,
} from '../registry/services.ts';
import { type ListenPoint, protocolOf, type Target } from '../sip/hop.ts';
import type { SipRequest, SipResponse } from '../sip/message.ts';
import { printRequest, printResponse } from '../sip/print.ts';
import { responseHop, type ResponseHop } from '../sip/reply.ts';
import type { Resolved, Resolver } from '../transport/resolver.ts';
import type { NextHop } from './next-hop.ts';
import { statelessBranch } from './stateless-branch.ts';

/** Max-Forwards of a request that came without (RFC 3261 16.6 step 3). */
const DEFAULT_MAX_FORWARDS = 70;

/** Forwards requests and responses: what RFC 3261 16.6, 16.7 and 16.11 ask of every forwarded message. */
export class Forwarding implements ForwardingService {
  readonly #transport: TransportService;
  readonly #nextHop: NextHop;
  readonly #resolver: Resolver;
  readonly #log: Logger;

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
    const resolution = this.#nextHop.resolve(request);
    if (resolution instanceof Promise) return resolution.then((found) => this.#reachable(request, found));
    return this.#reachable(request, resolution);
  }

  /** The socket is part of the answer: a target that no listen address can reach is as good as none. */
  #reachable(request: SipRequest, resolution: Resolution): Resolution {
    if (!resolution.ok) return resolution;
    const { target } = resolution;
    const point = this.#transport.pointFor(target, request.received.point);
    if (point === null) {
      return {
        ok: false,
        reason: `no listen address reaches ${target.protocol}:${target.address}`,
        status: 478,
      };
    }
    return {
      ok: true,
      target: { protocol: target.protocol, address: target.address, port: target.port, point },
    };
  }

  print(request: SipRequest, { branch, target, uri, edits }: PrintOptions): Printed {
    const point = target.point ?? request.received.point;
    const via = `SIP/2.0/${point.protocol.toUpperCase()} ${point.sentBy};branch=${branch}`;
    const maxForwards = request.maxForwardsDone
      ? null
      : (request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1;
    return { bytes: printRequest(request, { uri, edits, via, out: point, maxForwards }), point, via };
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
    const target: Target = { protocol, address: found.address, port: hop.port };
    const point = this.#transport.pointFor(target, response.received.point);
    if (point === null) return false;
    this.#transport.send(printResponse(response, point), { ...target, point }, onError);
    return true;
  }

  forwardStateless(request: SipRequest): boolean | Promise<boolean> {
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
    const branch = statelessBranch(request, `${uri}|${target.address}:${target.port}`);
    const { bytes } = this.print(request, { branch, target, uri, edits });
    this.#transport.send(bytes, target, (error) => {
      this.#log.info('request could not be sent', {
        callId: request.callId,
        method: request.method,
        error: error.message,
      });
    });
    return true;
  }
}
