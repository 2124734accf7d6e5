import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { AnyModule } from '../registry/module.ts';
import type { Figures } from '../registry/figures.ts';
import { type LoadRequest, Registry } from '../registry/registry.ts';
import type { FormatService, MessageSink, TransportService } from '../registry/services.ts';
import { Formats } from '../routing/formats.ts';
import type { PlaceOf } from '../routing/handler-set.ts';
import { Handlers } from '../routing/handlers.ts';
import { Lanes } from '../routing/lanes.ts';
import type { ListenPoint } from '../sip/hop.ts';
import type { ListenOption } from '../transport/listen-option.ts';
import type { DnsQueries, DnsSettings } from '../transport/dns-client.ts';
import type { Lookup } from '../transport/resolver.ts';
import type { OpenDatagramSocket } from '../transport/datagram-socket.ts';
import { type StreamSettings, Transports } from '../transport/transports.ts';
import { declareProxyFigures, declareTransportFigures } from './figures.ts';
import { Admission, type Probe } from './admission.ts';
import { Ingress } from './ingress.ts';
import type { IngressCounters } from './ingress-counters.ts';
import type { Alias } from './myself.ts';
import { Services } from './services.ts';

/** How often a proxy that stops looks whether its transactions have ended, ms. */
const DRAIN_CHECK_MS = 20;
/** How long failure handlers may take whose requests the stop has ended, ms: what they gave back of counters and leases shall reach its store. */
const GIVE_UP_MS = 1000;
/** Longest stop of one module, ms. */
const MODULE_STOP_MS = 5000;

/** Bounds of one proxy; kamailio.yaml's `limits`. */
export interface ProxyLimits {
  /** Request handlers at work at one time. */
  readonly handlers: number;
  readonly handlerTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  /** Requests of one dialog and direction, and responses of one transaction, that wait for the one before. */
  readonly lane: number;
  /** How long messages may wait to be read before new requests are turned away; 0: as long as they like. */
  readonly maxWaitMs: number;
}

/** The proxy's sockets, as it sees them. */
export interface Edge extends TransportService {
  readonly probe: Probe;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly listen: readonly ListenOption[];
  readonly alias: readonly Alias[];
  /** Every module there is; `modules` names those to load. */
  readonly available: readonly AnyModule[];
  readonly modules: readonly LoadRequest[];
  /** The routes file's default export; checked here. */
  readonly routes: unknown;
  readonly routesFile: string;
  /** Finds lines of the routes' files, for messages. */
  readonly placeOf?: PlaceOf;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits: ProxyLimits;
  /** Bounds of connections, and certificates. */
  readonly streams?: StreamSettings;
  /** Makes UDP sockets; those of `node:dgram` by default. */
  readonly openUdp?: OpenDatagramSocket | undefined;
  /** Whom DNS is asked of, and for what; the system's servers for all unless told otherwise. */
  readonly dns?: DnsSettings;
  /** Finds the addresses of host names; the system's resolver unless a test says otherwise. */
  readonly lookup?: Lookup;
  /** Finds the servers of domains; by default DNS, or nothing does where `lookup` is given. */
  readonly records?: DnsQueries;
  /** Makes what messages arrive by and leave by; sockets unless a test says otherwise. */
  readonly edge?: (sink: MessageSink) => Edge;
}

/** A SIP proxy: transports, modules and routes put together. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #edge: Edge;
  readonly #handlers: Handlers;
  readonly #registry: Registry;
  readonly #core: Services;
  readonly #ingress: Ingress;

  /**
   * Loads modules and routes and checks them; binds no socket yet.
   * @throws ProxyErrors naming every mistake at once.
   */
  static create(options: ProxyOptions): Proxy {
    return new Proxy(options);
  }

  private constructor(options: ProxyOptions) {
    this.#options = options;
    const { log, clock, limits } = options;
    const sink: MessageSink = (bytes, received) => this.#ingress.receive(bytes, received);
    this.#edge =
      options.edge?.(sink) ??
      new Transports({
        listen: options.listen,
        log,
        clock,
        sink,
        openUdp: options.openUdp,
        ...options.streams,
      });
    this.#handlers = new Handlers({ log, clock, timeoutMs: limits.handlerTimeoutMs });
    const formats = new Formats();
    this.#core = new Services({
      clock,
      log,
      transport: this.#edge,
      handlers: this.#handlers,
      formats,
      alias: options.alias,
      dns: options.dns,
      lookup: options.lookup,
      records: options.records,
    });
    this.#registry = Registry.load(options.available, options.modules, { log, core: this.#core });
    formats.use(this.#registry);
    const { routes, routesFile: file, placeOf } = options;
    this.#handlers.install(routes, this.#registry, { file, placeOf });
    const lanes = {
      perLane: limits.lane,
      total: limits.handlers,
      onError: (error: unknown) => log.error('a message could not be handled', { error: String(error) }),
    };
    const both = [new Lanes(lanes), new Lanes(lanes)] as const;
    const admission = new Admission({
      clock,
      probe: (read) => this.#edge.probe(read),
      maxWaitMs: limits.maxWaitMs,
    });
    this.#ingress = new Ingress({
      log,
      core: this.#core,
      handlers: this.#handlers,
      lanes: both[0],
      endingLanes: both[1],
      maxHandlers: limits.handlers,
      admission,
    });
    const { metrics } = this.#core;
    declareProxyFigures(metrics, {
      ingress: this.#ingress,
      admission,
      handlers: this.#handlers,
      lanes: both,
      core: this.#core,
    });
    if (this.#edge instanceof Transports) declareTransportFigures(metrics, this.#edge);
  }

  /** Listen addresses, with the ports that were bound. */
  get points(): readonly ListenPoint[] {
    return this.#edge.points;
  }

  /** What the core and the modules have declared to be counted. */
  get metrics(): Figures {
    return this.#core.metrics;
  }

  get counters(): Readonly<IngressCounters> {
    return this.#ingress.counters;
  }

  /** Pseudo-variables by name. */
  get formats(): FormatService {
    return this.#core.formats;
  }

  /** Handlers that wait for something. */
  get handlersRunning(): number {
    return this.#handlers.running;
  }

  /** Whether handlers wait for something or requests for their answer. */
  get isBusy(): boolean {
    return this.#handlers.running > 0 || (this.#core.transactions?.active ?? 0) > 0;
  }

  /**
   * Binds the sockets and starts the modules in order. Nothing is left running when it fails.
   * @throws ERR_LISTEN, or what a module's start threw.
   */
  async start(): Promise<void> {
    await this.#edge.start();
    this.#core.listening(this.#edge.points);
    try {
      await this.#registry.start({ timeoutMs: this.#options.limits.startTimeoutMs });
    } catch (error) {
      await this.#edge.close();
      throw error;
    }
  }

  /**
   * Refuses new requests, waits for those under way as long as `shutdown_timeout` allows, ends those that are left, then stops modules and sockets, which have
   * their own time.
   */
  async stop(): Promise<void> {
    const { limits, log } = this.#options;
    this.#ingress.draining = true;
    await this.#waitWhileBusy(limits.shutdownTimeoutMs);
    const left = this.#core.transactions?.giveUp() ?? 0;
    if (left > 0) {
      log.notice('requests without an answer are ended by the stop', { requests: left });
      await this.#waitWhileBusy(GIVE_UP_MS);
    }
    try {
      await this.#registry.stop({ timeoutMs: MODULE_STOP_MS });
    } finally {
      await this.#edge.close();
    }
  }

  async #waitWhileBusy(ms: number): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock.now() + ms;
    while (this.isBusy && clock.now() < deadline)
      await new Promise<void>((resolve) => clock.setTimer(DRAIN_CHECK_MS, resolve));
  }

  /**
   * Puts other routes in the place of the present ones; handlers at work end as they began.
   * @throws ProxyErrors when the new ones are wrong: the old ones stay.
   */
  reload(routes: unknown, file: string, placeOf?: PlaceOf): void {
    this.#handlers.install(routes, this.#registry, { file, placeOf });
  }
}
