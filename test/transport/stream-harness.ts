import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Received, Target } from '../../core/sip/hop.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from '../../core/transport/connection-limits.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import type { TlsCredentials } from '../../core/transport/tls-credentials.ts';
import { Transports } from '../../core/transport/transports.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from './recorded-log.ts';

export const TCP: ListenOption = { protocol: 'tcp', host: '127.0.0.1', port: 0 };
/** Loopback takes far less; ms. */
const PATIENCE_MS = 10_000;

/** A request with a body of `size` bytes; what tells it from others is its Call-ID. */
export function request(
  id: string,
  { size = 0, via = 'SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK1' } = {},
): Buffer {
  const lines = [
    'MESSAGE sip:b@127.0.0.1 SIP/2.0',
    `Via: ${via}`,
    'From: <sip:a@127.0.0.1>;tag=1',
    'To: <sip:b@127.0.0.1>',
    `Call-ID: ${id}`,
    'CSeq: 1 MESSAGE',
    `Content-Length: ${size}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${'b'.repeat(size)}`, 'latin1');
}

export function idOf(bytes: Buffer): string {
  return /^Call-ID: (.*)$/m.exec(bytes.toString('latin1').replaceAll('\r', ''))?.[1] ?? '';
}

interface Arrived {
  readonly bytes: Buffer;
  readonly received: Received;
}

export interface StreamOptions {
  readonly listen?: readonly ListenOption[];
  readonly limits?: Partial<ConnectionLimits>;
  readonly credentials?: TlsCredentials;
  readonly onArrival?: (arrived: Arrived, transports: Transports) => void;
}

/** Transports with connections, closed after the test; time stands still unless `clock` is moved. */
export async function streams(t: TestContext, options: StreamOptions = {}) {
  const { listen = [TCP], limits = {}, credentials, onArrival } = options;
  const arrived: Arrived[] = [];
  const events = new EventEmitter();
  const log = recordedLog();
  const clock = new FakeClock();
  const transports: Transports = new Transports({
    listen,
    log,
    clock,
    limits: { ...DEFAULT_CONNECTION_LIMITS, ...limits },
    credentials: credentials ?? null,
    sink: (bytes, received) => {
      arrived.push({ bytes, received });
      onArrival?.({ bytes, received }, transports);
      events.emit('arrival');
    },
  });
  t.after(async () => {
    const closed = transports.close();
    // Peers that do not close are not waited for.
    clock.advance(DEFAULT_CONNECTION_LIMITS.sendTimeoutMs);
    await closed;
  });
  await transports.start();
  /** Waits for the message of this index. */
  const arrival = async (index: number): Promise<Arrived> => {
    for (let found = arrived[index]; ; found = arrived[index]) {
      if (found !== undefined) return found;
      await once(events, 'arrival', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
  };
  const [point] = transports.points;
  if (point === undefined) throw new Error('no listen point');
  return { transports, log, clock, arrived, arrival, point };
}

/** What a socket has received, and a way to wait for more. */
export class Inbox {
  text = '';
  ended = false;
  readonly socket: Socket;
  readonly #events = new EventEmitter();

  constructor(socket: Socket) {
    this.socket = socket;
    const changed = (): void => void this.#events.emit('change');
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      changed();
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.ended = true;
        changed();
      });
  }

  /** Waits until what has come matches. */
  async has(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text))
      await once(this.#events, 'change', { signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  /** Waits until the peer closes. */
  async end(): Promise<void> {
    while (!this.ended) await once(this.#events, 'change', { signal: AbortSignal.timeout(PATIENCE_MS) });
  }
}

/** A TCP connection to a port of 127.0.0.1, ended with the test. */
export async function client(t: TestContext, port: number): Promise<Inbox> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return new Inbox(socket);
}

/** A TCP server on a free port of 127.0.0.1, closed after the test, and the connections it gets. */
export async function server(t: TestContext, port = 0) {
  const inboxes: Inbox[] = [];
  const events = new EventEmitter();
  const listener = createServer({ noDelay: true }, (socket) => {
    inboxes.push(new Inbox(socket));
    events.emit('connection');
  });
  t.after(() => {
    listener.close();
    for (const { socket } of inboxes) socket.destroy();
  });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const bound = listener.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP server');
  const target: Target = { protocol: 'tcp', address: '127.0.0.1', port: bound.port };
  /** Waits for the connection of this index. */
  const connection = async (index: number): Promise<Inbox> => {
    for (let found = inboxes[index]; ; found = inboxes[index]) {
      if (found !== undefined) return found;
      await once(events, 'connection', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
  };
  return { target, inboxes, connection, listener };
}
