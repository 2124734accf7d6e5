import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type BuiltinModules, assemble } from '../main/assemble.ts';
import type { Environment } from '../main/environment.ts';
import { LISTEN_EXPECTED, parseListen } from '../main/listen-address.ts';
import { Proxy } from '../proxy/proxy.ts';
import { Avps, Scope } from '../registry/scope.ts';
import type { PvResult } from '../registry/services.ts';
import { SipRequest, parseMessage } from '../sip/message.ts';
import type { Uri } from '../sip/uri.ts';
import { FakeClock } from './fake-clock.ts';
import { keptLog, type LogLine } from './kept-log.ts';
import { type Hosts, type Servers, SimulatedDns } from './simulated-dns.ts';
import { placeOf, SimulatedNetwork, type Undelivered } from './simulated-network.ts';
import type { TestMessage } from './test-message.ts';
import { UserAgent } from './user-agent.ts';

/** Turns of the event loop without a handler at work after which the proxy has come to rest. */
const QUIET_TURNS = 10;
/** How long a handler of a test may take in real time, ms. */
const PATIENCE_MS = 10_000;
/** What time moves on by while a stop waits for it, ms. */
const STOP_STEP_MS = 20;
/** Log lines that are kept, the first ones. */
const MAX_LOG_LINES = 100_000;

export interface TestProxyOptions {
  /** Parameters by module, in the place of those in the file; a module that the file does not name is loaded too. */
  readonly modules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Listen addresses in the place of those in the file. */
  readonly listen?: readonly string[];
  /** Addresses by host name; together with `srv` all that DNS knows. */
  readonly hosts?: Hosts;
  /** Servers, `host:port`, in the order to try, by the name of their SRV records. */
  readonly srv?: Servers;
  /** Variables that the file refers to; `process.env` by default. */
  readonly environment?: Environment;
}

/** A proxy as a test has it: on a network and a clock of its own, with the routes and modules of a configuration file. */
export class TestProxy {
  readonly #clock: FakeClock;
  readonly #network: SimulatedNetwork;
  readonly #proxy: Proxy;
  readonly #log: LogLine[];
  /** Faults of routes that no one was told yet. */
  readonly #faults: string[];
  #serial = 0;
  /** Sends that wait for the proxy to come to rest. */
  #waiting = 0;

  private constructor(
    parts: { readonly clock: FakeClock; readonly network: SimulatedNetwork; readonly proxy: Proxy },
    { log, faults }: { readonly log: LogLine[]; readonly faults: string[] },
  ) {
    this.#clock = parts.clock;
    this.#network = parts.network;
    this.#proxy = parts.proxy;
    this.#log = log;
    this.#faults = faults;
  }

  /**
   * Starts the proxy of a configuration file.
   *
   * @throws ProxyErrors with every mistake in the file or the routes, as `kamaiki -c` tells them; Error for a mistake in the options.
   */
  static async start(file: string, options: TestProxyOptions, builtin: BuiltinModules): Promise<TestProxy> {
    const { modules: given = {}, environment = process.env, hosts = {}, srv = {} } = options;
    const dns = new SimulatedDns(hosts, srv);
    const listen = (options.listen ?? []).map(listenOption);
    const assembly = await assemble({ file, environment, builtin, listen, params: given });
    const { configuration, available, modules, routes } = assembly;
    const { alias, limits, routesFile } = configuration;
    const clock = new FakeClock();
    const log: LogLine[] = [];
    const faults: string[] = [];
    let network!: SimulatedNetwork;
    const proxy = Proxy.create({
      listen: [],
      alias,
      available,
      modules,
      routes,
      routesFile,
      placeOf: assembly.placeOf,
      log: keptLog((line) => {
        if (log.length < MAX_LOG_LINES) log.push(line);
        if (isFault(line)) faults.push(line.message);
      }),
      clock,
      limits: { ...limits, shutdownTimeoutMs: 0 },
      lookup: dns.lookup,
      records: dns,
      edge: (sink) => (network = new SimulatedNetwork(configuration.listen, dns, sink)),
    });
    await proxy.start();
    return new TestProxy({ clock, network, proxy }, { log, faults });
  }

  /** What the proxy and the routes have logged, at every level. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** Messages to addresses where no user agent is. */
  get undelivered(): readonly Undelivered[] {
    return this.#network.undelivered;
  }

  /**
   * A user agent at the address of its SIP URI: `sip:alice@192.0.2.1`, `sip:gw@[2001:db8::1]:5070;transport=tcp`. It sends to the proxy's first
   * listen address of that protocol and family, or to `listen`, one of those in the file: `udp:192.0.2.100:5080`.
   *
   * @throws Error for what is no such URI, for an address that another user agent has, and for a listen address that the proxy has not.
   */
  userAgent(uri: string, { listen }: { readonly listen?: string } = {}): UserAgent {
    const agent = new UserAgent(uri, {
      serial: () => (this.#serial += 1),
      send: async (message, { to, from }) => {
        this.#put(message, from, to);
        await this.#settle();
      },
      sendAtOnce: (message, from) => queueMicrotask(() => this.#put(message, from, null)),
    });
    if (this.#network.stationAt(agent) !== undefined)
      throw new Error(`there is a user agent at ${agent.protocol}:${agent.address}:${agent.port} already`);
    this.#network.attach(agent, listen === undefined ? undefined : listenOption(listen));
    return agent;
  }

  /**
   * Moves the proxy's clock on and has all fire that falls due on the way, each at its time. Nothing waits in reality. The clock of the system stays as it is, and that of
   * the embedded memcached with it.
   *
   * @throws Error when a handler failed meanwhile, and for what is no time to come.
   */
  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0)
      throw new Error(`advance: expected a number of ms, 0 or more, not ${inspect(ms)}`);
    const end = this.#clock.now() + ms;
    for (let due = this.#clock.nextDue(); due !== null && due <= end; due = this.#clock.nextDue()) {
      this.#clock.advance(due - this.#clock.now());
      await this.#settle();
    }
    this.#clock.advance(end - this.#clock.now());
  }

  /** The value of a pseudo-variable that belongs to no message: `$mct(calls)`, `$sht(t=>key)`. @throws ERR_PV_UNKNOWN, ERR_PV_SYNTAX. */
  async get(variable: string): Promise<PvResult> {
    return await this.#proxy.formats.get(this.#scope(), variable);
  }

  /** Sets one; null deletes it. @throws ERR_PV_UNKNOWN, ERR_PV_SYNTAX, ERR_PV_READ_ONLY. */
  async set(variable: string, value: PvResult): Promise<void> {
    await this.#proxy.formats.set(this.#scope(), variable, value);
  }

  /** Ends what is under way and stops the modules. */
  async stop(): Promise<void> {
    const stopped = this.#proxy.stop();
    const started = performance.now();
    while (this.#proxy.isBusy) {
      // What handlers give back shall reach its store, however long that takes.
      if (this.#proxy.handlersRunning === 0 || performance.now() - started > PATIENCE_MS)
        this.#clock.advance(STOP_STEP_MS);
      await setImmediate();
    }
    this.#clock.advance(STOP_STEP_MS);
    await stopped;
  }

  /** Puts a message on the network: to a user agent where the URI names one, else to the proxy. */
  #put(message: TestMessage, from: UserAgent, to: Uri | null): void {
    const place = to === null ? null : placeOf(to);
    const station = place === null ? undefined : this.#network.stationAt(place);
    if (station === undefined) this.#network.deliver(message.bytes, from);
    else station.receive(message);
  }

  /**
   * Comes back when no handler is at work any more and nothing else moves. Beside a send that still waits only the latter counts: then a test wants to see what happens while a
   * handler waits.
   */
  async #settle(): Promise<void> {
    const isBeside = this.#waiting > 0;
    const started = performance.now();
    this.#waiting += 1;
    try {
      for (let quiet = 0; quiet < QUIET_TURNS; ) {
        await setImmediate();
        quiet = this.#proxy.handlersRunning > 0 && !isBeside ? 0 : quiet + 1;
        if (performance.now() - started > PATIENCE_MS) throw new Error(STUCK);
      }
    } finally {
      this.#waiting -= 1;
    }
    const faults = this.#faults.splice(0);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }

  #scope(): Scope {
    const [point] = this.#network.points;
    const parsed = point && parseMessage(NO_MESSAGE, { point, address: '127.0.0.1', port: 5060, flow: 0 });
    if (!parsed?.ok || !(parsed.msg instanceof SipRequest))
      throw new Error('the proxy has no listen address');
    const { msg } = parsed;
    return new Scope('request', msg, { request: msg, response: null, avps: new Avps(), transaction: null });
  }
}

/** What a test is told whose handler does not end. */
const STUCK = `a handler has not ended within ${PATIENCE_MS} ms of real time. Where it waits for a time-out of the proxy, do not await the send but \`advance\``;

/** For variables that no message has a part in. */
const NO_MESSAGE = Buffer.from(
  'OPTIONS sip:nobody@invalid SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK0\r\nFrom: <sip:nobody@invalid>;tag=0\r\nTo: <sip:nobody@invalid>\r\nCall-ID: 0\r\nCSeq: 1 OPTIONS\r\n\r\n',
);

/** Whether a line tells of a fault in the routes: what a module logs at `error`, `xlog` above all, may be meant. */
function isFault({ level, fields }: LogLine): boolean {
  return level === 'error' && !('module' in fields);
}

function listenOption(text: string) {
  const option = parseListen(text);
  if (option === null) throw new Error(`listen: expected ${LISTEN_EXPECTED}, not ${text}`);
  return option;
}
