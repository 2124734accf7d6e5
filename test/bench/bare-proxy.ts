import { defineRoutes, type MessageSink, type SipRequest, type Target } from '../../core/index.ts';
import { Proxy } from '../../core/proxy/proxy.ts';
import { replyTarget } from '../../core/sip/reply.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { builtinModules } from '../../modules/index.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** Ports of 127.0.0.1 that messages name. */
export const PORTS = { caller: 5080, proxy: 5060, callee: 5070 } as const;

const point = {
  protocol: 'udp',
  family: 4,
  address: '127.0.0.1',
  port: PORTS.proxy,
  advertisedHost: '127.0.0.1',
  advertisedPort: PORTS.proxy,
  sentBy: `127.0.0.1:${PORTS.proxy}`,
} as const;

const SOURCES = {
  caller: { point, address: '127.0.0.1', port: PORTS.caller, flow: 0 },
  callee: { point, address: '127.0.0.1', port: PORTS.callee, flow: 0 },
} as const;

/** The routing of routes.ts without memcached. */
const routes = defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils'],
  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (ksr.siputils.has_totag()) {
      if (ksr.rr.loose_route()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(404, 'Not here');
    }
    ksr.rr.record_route();
    pv.$du.set(`sip:127.0.0.1:${PORTS.callee}`);
    return ksr.tm.t_relay();
  },
});

/** A whole proxy whose sockets are taken out, in this process and in real time. */
export interface BareProxy {
  /** A message arrives. What the proxy does at once is done when this returns. */
  receive(bytes: Buffer, from: keyof typeof SOURCES): void;
  /** The last message that the proxy sent, and how many it has sent. */
  last(): string;
  sends(): number;
  stop(): Promise<void>;
}

/** Starts a proxy without sockets that knows one callee. */
export async function startBareProxy(): Promise<BareProxy> {
  const clock = new TimerWheel({ onError: (error) => process.stderr.write(`${String(error)}\n`) });
  let sink!: MessageSink;
  let last: Buffer = Buffer.alloc(0);
  let sends = 0;
  const send = (bytes: Buffer): void => {
    sends += 1;
    last = bytes;
  };
  const proxy = Proxy.create({
    listen: [],
    alias: [],
    available: builtinModules,
    modules: routes.uses.map((name) => ({ name, params: {} })),
    routes,
    routesFile: import.meta.filename,
    log: { ...recordedLog(), isEnabled: () => false },
    clock,
    limits: {
      handlers: 10_000,
      handlerTimeoutMs: 10_000,
      startTimeoutMs: 1_000,
      shutdownTimeoutMs: 0,
      lane: 64,
      maxWaitMs: 0,
    },
    edge(given) {
      sink = given;
      return {
        points: [point],
        start: async () => {},
        close: async () => {},
        send,
        reply: (_request, bytes) => send(bytes),
        replyTarget(request: SipRequest): Target {
          const { address, port } = replyTarget(request);
          return { protocol: 'udp', address, port, host: undefined, point, flow: 0, onlyFlow: undefined };
        },
        probe: (read) => read(),
        pointFor: () => point,
      };
    },
  });
  await proxy.start();
  return {
    receive: (bytes, from) => sink(bytes, SOURCES[from]),
    last: () => last.toString('latin1'),
    sends: () => sends,
    stop: async () => {
      await proxy.stop();
      clock.close();
    },
  };
}
