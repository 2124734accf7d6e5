import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Proxy } from '../../core/proxy/proxy.ts';
import type { ListenPoint, Protocol } from '../../core/sip/hop.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { forwarder, type ForwarderContext } from './forwarder.ts';

/** Listen points of a proxy with real sockets that forwards every request without state to a port of 127.0.0.1; stopped after the test. */
export async function listeningForwarder(
  t: TestContext,
  protocols: readonly Protocol[],
  port: number,
): Promise<readonly ListenPoint[]> {
  const log = recordedLog();
  const clock = new TimerWheel({ onError: (error) => assert.fail(String(error)) });
  const proxy = Proxy.create({
    listen: protocols.map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 })),
    alias: [],
    available: [forwarder],
    modules: [{ name: 'forwarder', params: {} }],
    routes: {
      uses: ['forwarder'],
      request({ msg, ksr }: ForwarderContext & { msg: { nextHop: string | null } }) {
        msg.nextHop = `sip:127.0.0.1:${port}`;
        return ksr.forwarder.forward();
      },
    },
    routesFile: import.meta.filename,
    log,
    clock,
    limits: {
      handlers: 10,
      handlerTimeoutMs: 10_000,
      startTimeoutMs: 1_000,
      shutdownTimeoutMs: 0,
      lane: 10,
      maxWaitMs: 0,
    },
  });
  await proxy.start();
  t.after(async () => {
    await proxy.stop();
    clock.close();
  });
  return proxy.points;
}
