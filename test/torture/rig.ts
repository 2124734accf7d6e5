import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { Sink } from './sink.ts';

/** Ports that messages of the torture suites name in their Via: a reply goes there, at the address it came from (RFC 3261 18.2.2). */
const SENT_BY_PORTS = [5060, 5061, 5050, 6050] as const;
/** Within this time the proxy must have answered a request that it passes on, ms: far more than the 500 ms that it should take at most. */
const ANSWER_BOUND_MS = 5_000;
/** What is longer than this, bytes, may leave the proxy as more than the 1,300 that go by UDP where TCP will do (RFC 3261 18.1.1). */
const MAYBE_LARGE_BYTES = 1_000;
const LARGE_BYTES = 1_300;
/** A probe is sent again after this time, ms (T1 of RFC 3261 17.1.1.1): a full socket buffer loses datagrams. */
const T1_MS = 500;
/** Why the suites cannot run here, or false: each takes an address of its own, so that it meets no other program on 5060. */
export const unusable =
  process.platform === 'linux' ? false : 'needs more addresses of 127.0.0.0/8 than 127.0.0.1';

function routes(sinkPort: number): string {
  return `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils'],
  request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    ksr.rr.loose_route();
    if (ksr.siputils.is_method('INVITE')) ksr.rr.record_route();
    pv.$du.set('sip:127.0.0.1:${sinkPort}');
    return ksr.tm.t_relay();
  },
});
`;
}

/** Short timers, so that nothing of a case stays in memory for long. */
const YAML = `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
log: { level: info, format: json }
modules:
  pv: {}
  sl: {}
  tm: { fr_timer: 2000, wt_timer: 1000 }
  rr: {}
  maxfwd: {}
  siputils: {}
`;

/** A small heap, so that memory which is never freed shows soon: as growth, and in the end as a crash. */
const ENV = { NODE_OPTIONS: '--max-old-space-size=100 --max-semi-space-size=2' };

/** A proxy that can be put to the test, whatever program it is. */
export interface Peer {
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  stop(): Promise<unknown>;
}

/** An address of 127.0.0.0/8 that hardly anyone else uses. */
function anyLoopbackAddress(): string {
  return `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 254)).join('.')}`;
}

/** A running proxy between a caller and a sink to which it sends every request, whatever the Request-URI and Route say. */
export class TortureRig<P extends Peer = Proxy> {
  readonly proxy: P;
  readonly sink: Sink;
  /** The caller's address. */
  readonly address: string;
  /** The port that cases are sent from. */
  readonly port = SENT_BY_PORTS[0];
  /** What the proxy sent to the caller since it was last taken. */
  readonly replies: string[] = [];
  /** The longest that the proxy took for a request that it passed on, ms. */
  slowestMs = 0;
  readonly #sockets: readonly Socket[];
  #probes = 0;

  private constructor(proxy: P, sink: Sink, caller: { address: string; sockets: readonly Socket[] }) {
    this.proxy = proxy;
    this.sink = sink;
    this.address = caller.address;
    this.#sockets = caller.sockets;
    for (const socket of caller.sockets) {
      socket.on('message', (bytes) => this.replies.push(bytes.toString('latin1')));
    }
  }

  static start(): Promise<TortureRig> {
    return TortureRig.around((sinkPort) => startProxy({ yaml: YAML, routes: routes(sinkPort), env: ENV }));
  }

  /** Starts another proxy in the place of the usual one; it has to send every request to this port of 127.0.0.1. */
  static async around<P extends Peer>(startPeer: (sinkPort: number) => Promise<P>): Promise<TortureRig<P>> {
    const address = anyLoopbackAddress();
    const sockets = SENT_BY_PORTS.map((port) => createSocket('udp4').bind(port, address));
    await Promise.all(sockets.map((socket) => once(socket, 'listening')));
    const sink = await Sink.open();
    try {
      return new TortureRig(await startPeer(sink.port), sink, { address, sockets });
    } catch (error) {
      for (const socket of sockets) socket.close();
      sink.close();
      throw error;
    }
  }

  send(bytes: Buffer): Promise<void> {
    const [socket] = this.#sockets;
    return new Promise((resolve, reject) => {
      socket?.send(bytes, this.proxy.port, '127.0.0.1', (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  /**
   * Sends OPTIONS that the sink answers, and waits for the 200: all that was sent before has then been dealt with, and what the proxy
   * passed on of it has reached the sink. A large request goes there only after TCP has failed, so a probe that may not overtake it is
   * large as well.
   *
   * @param after The length of what was sent before, bytes.
   * @throws when there is no answer in time.
   */
  async probe(after = 0): Promise<void> {
    this.#probes += 1;
    const callId = `${Sink.PROBE}${this.#probes}`;
    const began = performance.now();
    const answer = this.#reply(callId);
    const bytes = Buffer.from(
      [
        'OPTIONS sip:probe@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP ${this.address}:${this.port};branch=z9hG4bK${callId}`,
        'Max-Forwards: 70',
        `From: <sip:probe@127.0.0.1>;tag=${callId}`,
        'To: <sip:probe@127.0.0.1>',
        `Call-ID: ${callId}`,
        'CSeq: 1 OPTIONS',
        ...(after > MAYBE_LARGE_BYTES ? [`Subject: ${'x'.repeat(LARGE_BYTES)}`] : []),
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
    );
    await this.send(bytes);
    const again = setInterval(() => void this.send(bytes), T1_MS);
    const status = await answer.finally(() => clearInterval(again));
    if (status !== '200') throw new Error(`OPTIONS got ${status}`);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
    await setImmediate();
  }

  /** The status of the reply with this Call-ID. */
  #reply(callId: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => done(() => reject(new Error(`no answer to OPTIONS within ${ANSWER_BOUND_MS} ms`))),
        ANSWER_BOUND_MS,
      );
      const receive = (bytes: Buffer): void => {
        const text = bytes.toString('latin1');
        if (text.includes(`\r\nCall-ID: ${callId}\r\n`)) done(() => resolve(text.split(' ')[1] ?? ''));
      };
      const done = (end: () => void): void => {
        clearTimeout(late);
        for (const socket of this.#sockets) socket.off('message', receive);
        end();
      };
      for (const socket of this.#sockets) socket.on('message', receive);
    });
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    for (const socket of this.#sockets) socket.close();
    this.sink.close();
  }
}
