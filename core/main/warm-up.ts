import type { Logger } from '../log.ts';
import { Proxy } from '../proxy/proxy.ts';
import type { AnyModule } from '../registry/module.ts';
import type { LoadRequest } from '../registry/registry.ts';
import { messageOf } from '../registry/shown.ts';
import { TimerWheel } from '../timer-wheel.ts';
import type { OpenDatagramSocket } from '../transport/datagram-socket.ts';
import { createLogger } from '../winston-log.ts';
import { LOOPBACK } from './plain-call.ts';
import type { Measured } from './serve.ts';
import { WarmUpCalls } from './warm-up-calls.ts';

/** Bounds of the proxy that is rehearsed with. */
const LIMITS = {
  handlers: 1000,
  handlerTimeoutMs: 5000,
  startTimeoutMs: 5000,
  shutdownTimeoutMs: 0,
  lane: 64,
  maxWaitMs: 0,
};

/** What is rehearsed: modules whose parameters reach nobody, and routes over them that send every call to a SIP URI. */
export interface Rehearsal {
  readonly modules: readonly LoadRequest[];
  readonly routes: (callee: string) => unknown;
}

/** What a warm-up is made of. */
export interface WarmUp {
  readonly calls: number;
  readonly available: readonly AnyModule[];
  /** Gives what is rehearsed; called when it is needed, since loading takes time. */
  readonly rehearsal: () => Promise<Rehearsal>;
  readonly log: Logger;
  /** Makes its UDP sockets, as those of the proxy are made. */
  readonly openUdp: OpenDatagramSocket;
}

/** A proxy that warms up before it listens. A warm-up that fails is logged, and the proxy starts cold. */
export function warmedUp(proxy: Measured, warmUp: WarmUp): Measured {
  let isStopped = false;
  return {
    get points() {
      return proxy.points;
    },
    metrics: proxy.metrics,
    async start() {
      try {
        await rehearse(warmUp);
      } catch (error) {
        warmUp.log.warn('the warm-up failed, the proxy starts cold', { error: messageOf(error) });
      }
      if (!isStopped) await proxy.start();
    },
    async stop() {
      isStopped = true;
      await proxy.stop();
    },
  };
}

/** Plays calls through a proxy of the same code on ports of loopback that no one knows, until V8 has compiled what is used for each message. */
async function rehearse({ calls, available, rehearsal, log, openUdp }: WarmUp): Promise<void> {
  log.info('warming up', { calls });
  const began = performance.now();
  const { modules, routes } = await rehearsal();
  const phones = await WarmUpCalls.open();
  // Its own, and of the same classes as those of the proxy that will serve: code is compiled for the classes that it has met.
  const ownLog = createLogger({ level: 'error', format: 'json' });
  const clock = new TimerWheel({ onError: (error) => ownLog.error('a timer failed', { error }) });
  try {
    const proxy = Proxy.create({
      listen: [{ protocol: 'udp', host: LOOPBACK, port: 0 }],
      alias: [],
      available,
      modules,
      routes: routes(phones.calleeUri),
      routesFile: 'the warm-up',
      log: ownLog,
      clock,
      limits: LIMITS,
      openUdp,
    });
    await proxy.start();
    try {
      const ended = await phones.play(calls, proxy.points[0]?.port ?? 0);
      log.info('warmed up', { calls: ended, ms: Math.round(performance.now() - began) });
    } finally {
      await proxy.stop();
    }
  } finally {
    phones.close();
    clock.close();
    await ownLog.close();
  }
}
