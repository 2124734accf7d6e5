import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../programs/free-port.ts';
import type { Sipp } from '../programs/sipp.ts';
import { CallStore, type Leftovers } from './call-store.ts';
import {
  type Contender,
  type ContenderName,
  type NodeCommand,
  startContender,
  USUAL_NODE,
} from './contender.ts';
import { limitCpu } from './cpu-limit.ts';
import { cpuBetween, type TreeUsage, usageOf } from './process-tree.ts';
import { type Callers, startCallee, startCallers } from './sipp-callers.ts';
import type { SippStatistics } from './sipp-statistics.ts';

/** How long a callee may be there, s: longer than anything that is measured. */
const CALLEE_LIMIT_S = 7_200;
/** What comes after the last BYE of a run, ms. */
const REST_MS = 300;
/** Calls a second of the calls before a measurement, in which code gets compiled. */
const WARM_UP_RATE = 500;
/** Longest ringing unless told, ms: more than 3 minutes (RFC 3261 16.6). */
const RING_MS = 185_000;

/** What calls go through. */
export interface ArrangementOptions {
  /** Null: callers call the callee directly. */
  readonly proxy: ContenderName | null;
  /** Whether calls do their four memcached operations. */
  readonly cached: boolean;
  /** How far away memcached is, ms in each direction. */
  readonly delayMs?: number;
  /** Worker processes of Kamailio. */
  readonly children: number;
  /** SIPps that call. */
  readonly callers: number;
  readonly ringMs?: number;
  readonly metricsPort?: number;
  /** What runs kamaiki; default: as `npm start` does. */
  readonly node?: NodeCommand;
  /** CPUs that the proxy may use; default: all that there are. */
  readonly cpus?: number | null;
  /** Whether SIPp is the callee, from the start; default true. */
  readonly withCallee?: boolean;
}

/** Calls to make. */
export interface CallLoad {
  /** Calls a second, and in all. */
  readonly rate: number;
  readonly calls: number;
  /** Whether a call that is refused with 503 ended well; default false. */
  readonly acceptsRefusal?: boolean;
}

/** CPU of the proxy for the calls of a measurement, with what SIPp says of them. */
export interface Measured extends SippStatistics {
  /** CPU in user mode and in the kernel, µs for each call that was started. */
  readonly userUsPerCall: number;
  readonly systemUsPerCall: number;
  /** Peak of the memory, MB. */
  readonly peakMb: number;
}

/** Callers, a proxy with its memcached, and a callee, all on free ports of 127.0.0.1. */
export class Arrangement {
  readonly calleePort: number;
  readonly #callers: number;
  readonly #store: CallStore | null;
  readonly #proxy: Contender | null;
  /** What removes the limit of the proxy's CPU. */
  readonly #unlimit: (() => Promise<void>) | null;
  #callee: Sipp | null = null;

  private constructor(
    options: { readonly calleePort: number; readonly callers: number },
    parts: {
      readonly store: CallStore | null;
      readonly proxy: Contender | null;
      readonly unlimit: (() => Promise<void>) | null;
    },
  ) {
    this.calleePort = options.calleePort;
    this.#callers = options.callers;
    this.#store = parts.store;
    this.#proxy = parts.proxy;
    this.#unlimit = parts.unlimit;
  }

  static async start(options: ArrangementOptions): Promise<Arrangement> {
    const { proxy: name, cached, delayMs = 0, children, callers, withCallee = true } = options;
    const calleePort = await freePort();
    const store = cached && name !== null ? await CallStore.start(delayMs) : null;
    const proxy =
      name === null
        ? null
        : await startContender(name, {
            calleePort,
            children,
            memcached: store?.server ?? null,
            ringMs: options.ringMs ?? RING_MS,
            metricsPort: options.metricsPort ?? null,
            node: options.node ?? USUAL_NODE,
          });
    const { cpus = null } = options;
    let unlimit: (() => Promise<void>) | null = null;
    try {
      if (proxy !== null && cpus !== null) unlimit = limitCpu(proxy.pid, cpus);
    } catch (error) {
      await proxy?.stop();
      await store?.stop();
      throw error;
    }
    const arrangement = new Arrangement({ calleePort, callers }, { store, proxy, unlimit });
    if (withCallee) await arrangement.startCallee();
    return arrangement;
  }

  /** Port that calls go to. */
  get target(): number {
    return this.#proxy?.port ?? this.calleePort;
  }

  async startCallee(): Promise<void> {
    this.#callee = await startCallee(this.calleePort, CALLEE_LIMIT_S);
  }

  /** What the proxy has used so far. @throws without one. */
  usage(): TreeUsage {
    if (this.#proxy === null) throw new Error('there is no proxy');
    return usageOf(this.#proxy.pid);
  }

  /** Starts calls. */
  begin(load: CallLoad): Promise<Callers> {
    const scenario = load.acceptsRefusal === true ? 'caller-accepts-503' : 'caller';
    return startCallers({ ...load, scenario, target: this.target, callers: this.#callers });
  }

  /** Makes calls to their end. */
  async call(load: CallLoad): Promise<SippStatistics> {
    const callers = await this.begin(load);
    return callers.result;
  }

  /** Makes the calls before a measurement. */
  async warmUp(calls: number): Promise<void> {
    if (calls > 0) await this.call({ rate: WARM_UP_RATE, calls });
  }

  /** Makes calls to their end and reads what they cost the proxy. */
  async measure(load: { readonly rate: number; readonly calls: number }): Promise<Measured> {
    const before = this.usage();
    const result = await this.call(load);
    await delay(REST_MS);
    const after = this.usage();
    const { userUs, systemUs } = cpuBetween(before, after);
    return {
      ...result,
      userUsPerCall: userUs / result.started,
      systemUsPerCall: systemUs / result.started,
      peakMb: after.peakKb / 1024,
    };
  }

  /** What calls have left behind in memcached; null without it. */
  async leftovers(): Promise<Leftovers | null> {
    return this.#store?.leftovers() ?? null;
  }

  async stop(): Promise<void> {
    await this.#callee?.stop();
    await this.#proxy?.stop();
    await this.#unlimit?.();
    await this.#store?.stop();
  }
}

/** Runs something with an arrangement and takes it down whatever happens. */
export async function withArrangement<T>(
  options: ArrangementOptions,
  run: (arrangement: Arrangement) => Promise<T>,
): Promise<T> {
  const arrangement = await Arrangement.start(options);
  try {
    return await run(arrangement);
  } finally {
    await arrangement.stop();
  }
}
