import type { Socket } from 'node:net';
import { Framing } from '../sip/framing.ts';
import type { Wire, WireUser } from './wire.ts';

/** SIP on a TCP or TLS socket: messages one behind the other, told apart by their Content-Length (RFC 3261 18.3). */
export class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #user: WireUser;
  readonly #identifies: (host: string) => boolean;
  readonly #framing = new Framing();
  /** What comes from now on is not looked at. */
  #deaf = false;
  #error: Error | null = null;

  constructor(socket: Socket, user: WireUser, identifies: (host: string) => boolean) {
    this.#socket = socket;
    this.#user = user;
    this.#identifies = identifies;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('end', () => user.end());
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => user.closed(this.#error));
  }

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(reason: Error): void {
    this.#error ??= reason;
    this.#socket.destroy();
  }

  identifies(host: string): boolean {
    return this.#identifies(host);
  }

  #read(bytes: Buffer): void {
    if (this.#deaf) return;
    this.#framing.add(bytes);
    // A peer that waits for the answer, as it should, sends one in a segment; a thousand get one answer.
    let pinged = false;
    for (;;) {
      const framed = this.#framing.next();
      if (framed.kind === 'message') {
        this.#user.message(framed.bytes);
      } else if (framed.kind === 'ping') {
        pinged = true;
      } else {
        if (pinged) this.#user.alive(true);
        if (framed.kind === 'more') return this.#user.progress(this.#framing.partial);
        this.#deaf = true;
        return this.#user.fault(framed.reason, framed.head);
      }
    }
  }
}
