import { isIP } from 'node:net';
import type { Edge } from '../proxy/proxy.ts';
import type { MessageSink } from '../registry/services.ts';
import { bareHost } from '../sip/host.ts';
import { DEFAULT_PORTS, type ListenPoint, type Protocol, protocolOf, type Target } from '../sip/hop.ts';
import type { SipRequest } from '../sip/message.ts';
import { replyTarget } from '../sip/reply.ts';
import { type Uri, uriParam } from '../sip/uri.ts';
import { familyOf, isUnicast, isWildcard } from '../transport/addresses.ts';
import { type ListenOption, printListenOption } from '../transport/listen-option.ts';
import { listenPoint } from '../transport/listen-point.ts';
import type { SimulatedDns } from './simulated-dns.ts';
import { TestMessage } from './test-message.ts';

/** Something other than the proxy that has an address of the network. */
export interface Station {
  readonly protocol: Protocol;
  /** Without brackets. */
  readonly address: string;
  readonly port: number;
  receive(message: TestMessage): void;
}

/** Where a SIP URI with a numeric address leads; null for one with a name or an unknown transport. */
export function placeOf(uri: Uri): Pick<Station, 'protocol' | 'address' | 'port'> | null {
  const address = bareHost(uri.host);
  const protocol = protocolOf(uriParam(uri, 'transport') ?? 'udp');
  if (isIP(address) === 0 || protocol === null) return null;
  return { protocol, address, port: uri.port ?? DEFAULT_PORTS[protocol] };
}

/** A message to an address that no one has. */
export interface Undelivered {
  readonly message: TestMessage;
  /** `udp:192.0.2.9:5060`. */
  readonly to: string;
}

/** Messages to no one that are kept, the first ones. */
const MAX_UNDELIVERED = 1_000;

/**
 * A network inside this process: the sockets of a proxy, and stations at addresses of their own. What is sent arrives at once. Nobody at an address: a datagram
 * is lost, a connection refused.
 */
export class SimulatedNetwork implements Edge {
  readonly points: readonly ListenPoint[];
  readonly undelivered: Undelivered[] = [];
  readonly #listen: readonly ListenOption[];
  readonly #sink: MessageSink;
  /** Where stations send to that were told so. */
  readonly #chosen = new Map<Station, ListenPoint>();
  /** By their place here and 1 are the flows of stations on streams named. */
  readonly #stations: Station[] = [];

  /** @throws Error for a listen address that is a name without an address. */
  constructor(listen: readonly ListenOption[], dns: SimulatedDns, sink: MessageSink) {
    this.#listen = listen;
    this.points = listen.map((option) => pointOf(option, dns));
    this.#sink = sink;
  }

  async start(): Promise<void> {}
  async close(): Promise<void> {}

  probe(read: () => void): void {
    read();
  }

  /**
   * `listen`: the listen address that the station sends to; the first of its protocol and family unless told.
   *
   * @throws Error when the proxy does not listen there, or not on the station's protocol and family.
   */
  attach(station: Station, listen?: ListenOption): void {
    if (listen !== undefined) {
      const wanted = printListenOption(listen);
      const point = this.points[this.#listen.findIndex((option) => printListenOption(option) === wanted)];
      if (point === undefined || !fits(point, station))
        throw new Error(`${wanted} is no listen address for ${station.protocol}: ${this.#listening}`);
      this.#chosen.set(station, point);
    }
    this.#stations.push(station);
  }

  /** The station at an address; undefined when nobody is there. */
  stationAt({
    protocol,
    address,
    port,
  }: Pick<Station, 'protocol' | 'address' | 'port'>): Station | undefined {
    return this.#stations.find(
      (station) => station.protocol === protocol && station.address === address && station.port === port,
    );
  }

  /** A message from a station arrives at the proxy. @throws Error when the proxy does not listen on the station's protocol and family. */
  deliver(bytes: Buffer, from: Station): void {
    const { protocol, address, port } = from;
    const point = this.#chosen.get(from) ?? this.pointFor(from);
    if (point === null)
      throw new Error(
        `the proxy listens on no ${protocol} address of IPv${familyOf(address)}: ${this.#listening}`,
      );
    this.#sink(bytes, { point, address, port, flow: this.#flowOf(from) });
  }

  send(bytes: Buffer, target: Target, onError?: (error: Error) => void): void {
    const { protocol, address, port, flow, onlyFlow } = target;
    const isStream = protocol !== 'udp';
    const byFlow = isStream && flow !== undefined ? this.#stations[flow - 1] : undefined;
    // A flow of UDP is an address (RFC 5626 5.3): nothing that could be gone.
    const isBound = isStream && onlyFlow === true;
    const station = byFlow ?? (isBound ? undefined : this.stationAt(target));
    const message = new TestMessage(bytes);
    if (station !== undefined) return station.receive(message);
    const own = isBound ? undefined : this.#pointAt(target);
    if (own !== undefined) return this.#loop(bytes, own, target);
    const to = printListenOption({ protocol, host: address, port });
    if (this.undelivered.length < MAX_UNDELIVERED) this.undelivered.push({ message, to });
    if (isStream || !isUnicast(address))
      queueMicrotask(() => onError?.(new Error(`nobody takes a connection at ${to}`)));
  }

  reply(request: SipRequest, bytes: Buffer, onError?: (error: Error) => void): void {
    this.send(bytes, this.replyTarget(request), onError);
  }

  replyTarget(request: SipRequest): Target {
    const { point, flow } = request.received;
    return { protocol: point.protocol, ...replyTarget(request), point, flow };
  }

  pointFor(target: Pick<Target, 'protocol' | 'address'>, preferred?: ListenPoint): ListenPoint | null {
    if (preferred !== undefined && fits(preferred, target)) return preferred;
    return this.points.find((point) => fits(point, target)) ?? null;
  }

  #pointAt({ protocol, address, port }: Target): ListenPoint | undefined {
    return this.points.find(
      (point) => point.protocol === protocol && point.address === address && point.port === port,
    );
  }

  /** What the proxy sends to itself arrives like anything else, and never while it is still at work on sending. */
  #loop(bytes: Buffer, to: ListenPoint, { point }: Target): void {
    const { address, port } = point ?? to;
    setImmediate(() => this.#sink(bytes, { point: to, address, port, flow: 0 }));
  }

  #flowOf(station: Station): number {
    return station.protocol === 'udp' ? 0 : this.#stations.indexOf(station) + 1;
  }

  get #listening(): string {
    return this.points
      .map(({ protocol, address, port }) => printListenOption({ protocol, host: address, port }))
      .join(' ');
  }
}

/** Whether what has this address can be reached by a socket. */
function fits({ protocol, family }: ListenPoint, target: Pick<Target, 'protocol' | 'address'>): boolean {
  return protocol === target.protocol && family === familyOf(target.address);
}

function pointOf(option: ListenOption, dns: SimulatedDns): ListenPoint {
  const { protocol, host } = option;
  const address = isIP(host) === 0 ? dns.addressesOf(host)[0] : loopbackFor(host);
  if (address === undefined)
    throw new Error(`${printListenOption(option)}: \`hosts\` gives no address for ${host}`);
  return listenPoint(option, { address, port: option.port === 0 ? DEFAULT_PORTS[protocol] : option.port });
}

/** A wildcard stands for loopback: a proxy of a test has no other interface. */
function loopbackFor(address: string): string {
  if (!isWildcard(address)) return address;
  return familyOf(address) === 6 ? '::1' : '127.0.0.1';
}
