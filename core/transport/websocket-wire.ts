import { isUtf8 } from 'node:buffer';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../clock.ts';
import type { Wire, WireUser } from './wire.ts';

const CR = 0x0d;
const LF = 0x0a;
/** A double CRLF asks for a CRLF; a single one answers (RFC 5626 4.4.1, which clients use inside WebSocket too). */
const PING_BYTES = 4;

/** SIP in WebSocket messages, one in each (RFC 7118 5). */
export class WebSocketWire implements Wire {
  readonly #socket: WebSocket;
  readonly #identifies: (host: string) => boolean;
  #error: Error | null = null;
  #timer: Timer | null = null;

  /** Asks every `pingMs` whether the peer is there: browsers cannot do so themselves. */
  constructor(
    socket: WebSocket,
    user: WireUser,
    options: {
      readonly clock: Clock;
      readonly pingMs: number;
      readonly identifies: (host: string) => boolean;
    },
  ) {
    this.#socket = socket;
    this.#identifies = options.identifies;
    socket.on('message', (data) => {
      user.progress(false);
      // One buffer: `binaryType` is left as it is.
      const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : []);
      if (isKeepAlive(bytes)) user.alive(bytes.length === PING_BYTES);
      else user.message(bytes);
    });
    socket.on('ping', () => user.alive(false));
    socket.on('pong', () => user.alive(false));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => {
      this.#timer?.cancel();
      user.closed(this.#error);
    });
    const { clock, pingMs } = options;
    const ping = (): void => {
      this.#timer = clock.setTimer(pingMs, ping);
      if (socket.readyState === socket.OPEN) socket.ping();
    };
    this.#timer = clock.setTimer(pingMs, ping);
  }

  /** As text where it is, since some clients take nothing else (RFC 7118 5.1). */
  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.send(bytes, { binary: !isUtf8(bytes) }, done);
  }

  end(): void {
    this.#socket.close();
  }

  destroy(reason: Error): void {
    this.#error ??= reason;
    this.#socket.terminate();
  }

  identifies(host: string): boolean {
    return this.#identifies(host);
  }
}

function isKeepAlive(bytes: Buffer): boolean {
  return bytes.length <= PING_BYTES && bytes.every((byte) => byte === CR || byte === LF);
}
