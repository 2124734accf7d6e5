import { setImmediate } from 'node:timers/promises';
import type { AnyModule, ListenPoint, MessageSink, Protocol, SipRequest, Target } from '../core/index.ts';
import type { Alias } from '../core/proxy/myself.ts';
import { type Edge, Proxy } from '../core/proxy/proxy.ts';
import { replyTarget } from '../core/sip/reply.ts';
import { isUnicast } from '../core/transport/addresses.ts';
import type { Lookup } from '../core/transport/resolver.ts';
import { builtinModules } from '../modules/index.ts';
import { FakeClock } from '../core/testing/fake-clock.ts';
import { type RecordedLine, recordedLog } from './transport/recorded-log.ts';

/** Rounds of the event loop that a handler and what it waits for may take: all of it is in this process. */
const SETTLE_ROUNDS = 10;

/** A message the proxy put on the wire. */
export interface Sent {
  readonly at: number;
  readonly text: string;
  /** `address:port` it went to. */
  readonly to: string;
}

const POINT: ListenPoint = {
  protocol: 'udp',
  family: 4,
  address: '10.0.0.1',
  port: 5060,
  advertisedHost: '10.0.0.1',
  advertisedPort: 5060,
  sentBy: '10.0.0.1:5060',
};

const TCP_POINT: ListenPoint = { ...POINT, protocol: 'tcp' };

/** The edge of a proxy with the sockets taken out: what it sends is kept. */
class FakeEdge implements Edge {
  readonly points: readonly ListenPoint[];
  readonly sent: Sent[] = [];
  readonly #now: () => number;
  /** Whether the proxy listens on TCP as well. */
  listensOnTcp = false;
  /** Targets (`address:port`, or `tcp:address:port`) to which nothing can be sent. */
  readonly unreachable = new Set<string>();

  constructor(now: () => number, points: readonly ListenPoint[]) {
    this.#now = now;
    this.points = points;
  }
  async start(): Promise<void> {}
  async close(): Promise<void> {}
  send(bytes: Buffer, target: Target, onError?: (error: Error) => void): void {
    const to = `${target.address}:${target.port}`;
    if (
      this.unreachable.has(to) ||
      this.unreachable.has(`${target.protocol}:${to}`) ||
      !isUnicast(target.address)
    )
      queueMicrotask(() => onError?.(new Error('network unreachable')));
    else this.sent.push({ at: this.#now(), text: bytes.toString('latin1'), to });
  }
  /** Whether probes come back at once; otherwise they are lost. */
  answersProbes = true;
  probe(read: () => void): void {
    if (this.answersProbes) read();
  }
  reply(request: SipRequest, bytes: Buffer, onError?: (error: Error) => void): void {
    this.send(bytes, this.replyTarget(request), onError);
  }
  replyTarget(request: SipRequest): Target {
    return { protocol: request.received.point.protocol, ...replyTarget(request) };
  }
  pointFor(target: Target): ListenPoint | null {
    if (target.address.includes(':')) return null;
    if (target.protocol === 'tcp' && this.listensOnTcp) return TCP_POINT;
    return this.points.find(({ protocol }) => protocol === target.protocol) ?? null;
  }
}

/** Where a message comes from, and by which of the proxy's protocols: that of its first listen point unless told. */
export interface Source {
  readonly address: string;
  readonly port: number;
  readonly protocol?: Protocol;
}

export interface ProxyRig {
  readonly clock: FakeClock;
  readonly edge: FakeEdge;
  readonly log: ReturnType<typeof recordedLog>;
  readonly proxy: Proxy;
  /** Messages sent since the last call. */
  take(): Sent[];
  /** Start lines of `take()`, each with where it went. */
  starts(): string[];
  /** A message arrives, and all that it sets off runs to its end. */
  receive(text: string, from?: Source): Promise<void>;
  /** Time passes, and all that it sets off runs to its end. */
  advance(ms: number): Promise<void>;
  lines(level: RecordedLine['level']): string[];
}

/** Lets everything that is under way in this process come to rest. */
async function settle(): Promise<void> {
  for (let i = 0; i < SETTLE_ROUNDS; i += 1) await setImmediate();
}

/** A whole proxy (ingress, modules, routes, transactions) on a fake clock, with its sockets taken out. */
export async function proxyRig(
  routes: unknown,
  {
    modules = { pv: {}, sl: {}, tm: {}, rr: {}, maxfwd: {}, siputils: {}, textops: {}, xlog: {} },
    limits = {},
    extra = [],
    points = [POINT],
    alias = [{ host: 'proxy.example.com', port: null }],
    lookup = (host, _family, done) => done(new Error(`no address for ${host}`), ''),
  }: {
    readonly modules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly limits?: Partial<
      Record<'handlers' | 'lane' | 'maxWaitMs' | 'handlerTimeoutMs' | 'shutdownTimeoutMs', number>
    >;
    readonly extra?: readonly AnyModule[];
    /** What the proxy listens on. */
    readonly points?: readonly ListenPoint[];
    /** Its further names. */
    readonly alias?: readonly Alias[];
    /** Finds host names; none unless a test brings its own. */
    readonly lookup?: Lookup;
  } = {},
): Promise<ProxyRig> {
  const clock = new FakeClock();
  const log = recordedLog();
  let sink!: MessageSink;
  const edge = new FakeEdge(() => clock.now(), points);
  const proxy = Proxy.create({
    listen: [],
    alias,
    available: [...builtinModules, ...extra],
    modules: Object.entries(modules).map(([name, params]) => ({ name, params })),
    routes,
    routesFile: import.meta.filename,
    log,
    clock,
    limits: {
      handlers: 1_000,
      handlerTimeoutMs: 10_000,
      startTimeoutMs: 1_000,
      shutdownTimeoutMs: 1_000,
      lane: 100,
      maxWaitMs: 0,
      ...limits,
    },
    lookup,
    edge(given) {
      sink = given;
      return edge;
    },
  });
  await proxy.start();
  const take = (): Sent[] => edge.sent.splice(0);
  return {
    clock,
    edge,
    log,
    proxy,
    take,
    starts: () => take().map(({ text, to }) => `${text.slice(0, text.indexOf('\r\n'))} -> ${to}`),
    async receive(text, { address, port, protocol } = { address: '10.0.0.2', port: 5060 }) {
      sink(Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'latin1'), {
        point: points.find((each) => each.protocol === protocol) ?? points[0] ?? POINT,
        address,
        port,
        flow: 0,
      });
      await settle();
    },
    async advance(ms) {
      clock.advance(ms);
      await settle();
    },
    lines: (level) => log.lines.filter((line) => line.level === level).map(({ message }) => message),
  };
}
