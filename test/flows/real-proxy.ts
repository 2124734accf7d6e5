import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Proxy } from '../../core/proxy/proxy.ts';
import type { ListenPoint } from '../../core/sip/hop.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import type { TlsCredentials } from '../../core/transport/tls-credentials.ts';
import { builtinModules } from '../../modules/index.ts';
import { recordedLog } from '../transport/recorded-log.ts';

export interface RealProxyOptions {
  readonly listen: readonly ListenOption[];
  readonly routes: unknown;
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly credentials?: TlsCredentials;
}

/** A whole proxy on real sockets and real time, stopped after the test. */
export async function realProxy(t: TestContext, options: RealProxyOptions) {
  const { listen, routes, modules, credentials } = options;
  const log = recordedLog();
  const clock = new TimerWheel({ onError: (error) => assert.fail(String(error)) });
  const proxy = Proxy.create({
    listen,
    alias: [],
    available: builtinModules,
    modules: Object.entries(modules).map(([name, params]) => ({ name, params })),
    routes,
    routesFile: import.meta.filename,
    log,
    clock,
    streams: credentials === undefined ? {} : { credentials },
    limits: {
      handlers: 100,
      handlerTimeoutMs: 10_000,
      startTimeoutMs: 10_000,
      shutdownTimeoutMs: 0,
      lane: 100,
      maxWaitMs: 0,
    },
    lookup: (host, _family, done) => done(new Error(`no address for ${host}`), ''),
  });
  await proxy.start();
  t.after(async () => {
    await proxy.stop();
    clock.close();
  });
  const { points } = proxy;
  return {
    log,
    points,
    point: (index: number): ListenPoint => points[index] ?? assert.fail(`there is no listen point ${index}`),
    /** The listen point that a URI of the proxy's names. */
    named: (uri: string): ListenPoint => {
      const transport = /;transport=(\w+)/.exec(uri)?.[1] ?? 'udp';
      const found = points.find(({ protocol, sentBy }) => protocol === transport && uri.includes(sentBy));
      return found ?? assert.fail(`${uri} is none of ${points.map(({ sentBy }) => sentBy).join()}`);
    },
  };
}
