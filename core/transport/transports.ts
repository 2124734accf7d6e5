import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { Clock } from '../clock.ts';
import { errors } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ListenPoint, Protocol, Received, Target } from '../sip/hop.ts';
import { MAX_PORT } from '../sip/host.ts';
import type { SipRequest } from '../sip/message.ts';
import { replyTarget } from '../sip/reply.ts';
import { type Family, familyOf, isUnicast, isWildcard, unmapped } from './addresses.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { Connections } from './connections.ts';
import { openNodeSocket, type OpenDatagramSocket } from './datagram-socket.ts';
import { type ListenOption, printListenOption } from './listen-option.ts';
import { Networks } from './networks.ts';
import { newTarget, RecentTargets } from './recent-targets.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import type { Counters, SendFailure, Transport, TransportOptions } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

/** The protocols there are. Those of streams are loaded when an address asks for them: TLS and HTTP take their time at start. */
const PROTOCOLS: Readonly<Record<Protocol, (options: TransportOptions) => Transport | Promise<Transport>>> = {
  udp: (options) => new UdpTransport(options, options.openUdp),
  tcp: (options) => streamTransport(options, null),
  tls: (options) => streamTransport(options, required(options.credentials)),
  ws: (options) => webSocketTransport(options, null),
  wss: (options) => webSocketTransport(options, required(options.credentials)),
};

async function streamTransport(options: TransportOptions, tls: TlsCredentials | null): Promise<Transport> {
  const { StreamTransport } = await import('./stream-transport.ts');
  return new StreamTransport(options, tls);
}

async function webSocketTransport(options: TransportOptions, tls: TlsCredentials | null): Promise<Transport> {
  const { WebSocketTransport } = await import('./websocket-transport.ts');
  return new WebSocketTransport(options, tls);
}

/** What concerns connections only. */
export interface StreamSettings {
  /** Default: DEFAULT_CONNECTION_LIMITS. */
  readonly limits?: ConnectionLimits;
  /** Certificates for TLS; null, as by default: there are none, and no address can be listened on with TLS. */
  readonly credentials?: TlsCredentials | null;
}

export interface TransportsOptions extends StreamSettings {
  readonly listen: readonly ListenOption[];
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes each message as it arrives. What it throws is logged and goes no further. */
  readonly sink: (bytes: Buffer, received: Received) => void;
  /** Makes UDP sockets; those of `node:dgram` by default. */
  readonly openUdp?: OpenDatagramSocket | undefined;
}

/** All addresses the proxy listens on, and what sends through them. */
export class Transports {
  readonly #options: TransportsOptions;
  readonly #transports = new Map<ListenPoint, Transport>();
  readonly #points: ListenPoint[] = [];
  readonly #connections: Connections;
  readonly #replyTargets = new RecentTargets();
  /** Null while no two listen points have the same protocol and family: there is nothing to choose then. */
  #networks: Networks | null = null;

  constructor(options: TransportsOptions) {
    this.#options = options;
    this.#connections = new Connections(options.limits ?? DEFAULT_CONNECTION_LIMITS, options.clock);
  }

  /** In the order of the configuration; empty before `start`. */
  get points(): readonly ListenPoint[] {
    return this.#points;
  }

  /** What went through each listen point. */
  statistics(): readonly (Readonly<Counters> & { readonly point: ListenPoint })[] {
    return Array.from(this.#transports, ([point, { counters }]) => ({ point, ...counters }));
  }

  /** How many connections a listen point has; none for UDP. */
  connectionsOf(point: ListenPoint): number {
    return this.#connections.countOf(point);
  }

  /** Binds every address, or none. @throws ERR_LISTEN with the address and the system's reason. */
  async start(): Promise<void> {
    for (const option of this.#options.listen) {
      try {
        await this.#open(option);
      } catch (error) {
        await this.close();
        this.#transports.clear();
        this.#points.length = 0;
        const failure = errors.ERR_LISTEN(printListenOption(option), reasonOf(error));
        failure.cause = error;
        throw failure;
      }
    }
    if (this.#points.some((point) => this.#points.some((other) => other !== point && isAlike(other, point))))
      this.#networks = await Networks.ofMachine();
  }

  /** Closes every socket; `points` stay. Sends from now on fail. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#transports.values(), (transport) => transport.close()));
  }

  /** Calls back once all that had arrived before has been read. */
  probe(read: () => void): void {
    const probed = Array.from(this.#transports.values()).filter((transport) => transport.probe !== undefined);
    let under = probed.length;
    const one = (): void => {
      under -= 1;
      if (under === 0) read();
    };
    for (const transport of probed) transport.probe?.(one);
    // Connections are read in turn, each once in a turn of the event loop.
    if (probed.length === 0) setImmediate(() => setImmediate(read));
  }

  /** Sends bytes. `onError` is called at most once, never before `send` returns, when they could not be sent. */
  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    const address = unmapped(target.address);
    if (!isUnicast(address)) return refuse(`${address} is not a unicast address`, onError);
    if (target.onlyFlow === true && target.protocol !== 'udp' && this.#connections.find(target.flow) === null)
      return refuse('the flow is gone', onError);
    const point = target.point ?? this.pointFor(target);
    const transport = point === null ? undefined : this.#transports.get(point);
    if (transport === undefined) {
      return refuse(`no socket for ${target.protocol} over IPv${familyOf(address)}`, onError);
    }
    transport.send(bytes, address === target.address ? target : { ...target, address }, onError);
  }

  /** Sends a reply to where RFC 3261 18.2.2 and RFC 3581 4 want it, from the socket its request came in by. */
  reply(request: SipRequest, bytes: Buffer, onError?: SendFailure): void {
    this.send(bytes, this.replyTarget(request), onError);
  }

  /** Where `reply` sends to. */
  replyTarget(request: SipRequest): Target {
    const { address, port } = replyTarget(request);
    const { point, flow } = request.received;
    const { protocol } = point;
    // Another socket only where the Via names an address of the other family.
    const out =
      point.family === familyOf(unmapped(address)) ? point : this.pointFor({ protocol, address, port });
    // A maddr is a part of its message's text, which what is remembered would keep.
    if (address !== request.received.address) return newTarget(address, port, out ?? point, flow);
    return this.#replyTargets.take(address, port, out ?? point, flow);
  }

  /**
   * The listen point to reach a target by, or null when none fits its protocol and family. Of several that fit: `preferred` if it is on the
   * network that leads to the target, else the first that is, else `preferred` or the first.
   */
  pointFor(target: Target, preferred?: ListenPoint): ListenPoint | null {
    const first = preferred !== undefined && fits(preferred, target) ? preferred : this.#firstFor(target);
    if (first === null || this.#networks === null || isWildcard(first.address)) return first;
    const networks = this.#networks;
    const address = unmapped(target.address);
    if (networks.isTowards(first.address, address) !== false) return first;
    const onNetwork = (point: ListenPoint): boolean =>
      fits(point, target) &&
      (isWildcard(point.address) || networks.isTowards(point.address, address) === true);
    return this.#points.find(onNetwork) ?? first;
  }

  #firstFor(target: Target): ListenPoint | null {
    return this.#points.find((point) => fits(point, target)) ?? null;
  }

  async #open(option: ListenOption): Promise<void> {
    // Node.js would bind another port.
    if (!(option.port >= 0 && option.port <= MAX_PORT)) throw new Error(`there is no port ${option.port}`);
    const { log, clock, sink, credentials = null, openUdp = openNodeSocket } = this.#options;
    const connections = this.#connections;
    const place = await resolveHost(option.host);
    const transport = await PROTOCOLS[option.protocol]({
      option,
      log,
      clock,
      sink,
      connections,
      credentials,
      openUdp,
      ...place,
    });
    const point = await transport.open();
    this.#transports.set(point, transport);
    this.#points.push(point);
  }
}

/** Whether a listen point is of a target's protocol and family. */
function fits(point: ListenPoint, { protocol, address }: Target): boolean {
  return point.protocol === protocol && point.family === familyOf(unmapped(address));
}

function isAlike(a: ListenPoint, b: ListenPoint): boolean {
  return a.protocol === b.protocol && a.family === b.family;
}

function required(credentials: TlsCredentials | null): TlsCredentials {
  if (credentials === null) throw new Error('no certificate is configured');
  return credentials;
}

/** IPv4 goes first where a name has both. The wait is bounded by the system's resolver. */
async function resolveHost(host: string): Promise<{ address: string; family: Family }> {
  const address = isIP(host) === 0 ? (await lookup(host, { order: 'ipv4first' })).address : host;
  return { address, family: familyOf(address) };
}

/** A system error in words: `address already in use (EADDRINUSE)`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known =
    'errno' in error && typeof error.errno === 'number' ? getSystemErrorMap().get(error.errno) : undefined;
  return known === undefined ? error.message : `${known[1]} (${known[0]})`;
}

function refuse(reason: string, onError: SendFailure | undefined): void {
  if (onError !== undefined) process.nextTick(onError, new Error(reason));
}
