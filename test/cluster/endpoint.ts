import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Time between two tries of a request without an answer, ms (T1, RFC 3261 17.1.1.1). */
const RETRY_MS = 500;

/** A request as it is written out. */
export interface Request {
  readonly method: 'INVITE' | 'ACK' | 'UPDATE' | 'BYE';
  readonly id: string;
  readonly branch: string;
  /** Of the Request-URI, and the To tag within the call. */
  readonly user: string;
  /** Route lines. */
  readonly routes?: readonly string[];
  /** How often it is sent at once; 1. */
  readonly copies?: number;
}

/** A request that has come in. */
export interface Incoming {
  readonly method: string;
  readonly id: string;
  readonly user: string;
  /** Port of the proxy that sent it. */
  readonly port: number;
  readonly answer: (status: string) => void;
}

/** Caller and callee of many calls at a time on one UDP socket, by hand: what it sends is written out, so that nothing of the proxy tests itself. */
export class Endpoint {
  readonly #socket: Socket;
  readonly #take: (request: Incoming) => void;
  /** Told of final answers, by branch. */
  readonly #waiting = new Map<string, (text: string) => void>();

  private constructor(socket: Socket, take: (request: Incoming) => void) {
    this.#socket = socket;
    this.#take = take;
    socket.on('message', (bytes, { port }) => this.#received(bytes.toString('latin1'), port));
  }

  /** `take` gets the requests that come in, but for ACKs. */
  static async open(take: (request: Incoming) => void): Promise<Endpoint> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Endpoint(socket, take);
  }

  /** Its address and port. */
  get at(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  send(port: number, request: Request): void {
    const inCall = request.routes !== undefined;
    this.#write(port, [
      `${request.method} sip:${request.user}@${this.at} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.at};branch=${request.branch}`,
      'Max-Forwards: 70',
      ...(request.routes ?? []),
      'From: <sip:caller@example.com>;tag=caller',
      `To: <sip:${request.user}@example.com>${inCall ? `;tag=${request.user}` : ''}`,
      `Call-ID: ${request.id}`,
      `CSeq: ${inCall ? 2 : 1} ${request.method}`,
      `Contact: <sip:caller@${this.at}>`,
    ]);
  }

  /** Sends a request, so often if need be, until it has a final answer; empty when there is none. */
  async ask(port: number, request: Request, tries: number): Promise<string> {
    const answered = new Promise<string>((resolve) => {
      this.#waiting.set(request.branch, resolve);
    });
    try {
      for (let attempt = 0; attempt < tries; attempt++) {
        for (let copy = 0; copy < (request.copies ?? 1); copy++) this.send(port, request);
        const given = new AbortController();
        const late = delay(RETRY_MS, '', { signal: given.signal }).catch(() => '');
        const text = await Promise.race([answered, late]);
        given.abort();
        if (text === '') continue;
        // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 17.1.1.3).
        if (request.method === 'INVITE' && !isGood(text)) this.send(port, { ...request, method: 'ACK' });
        return text;
      }
      return '';
    } finally {
      this.#waiting.delete(request.branch);
    }
  }

  #received(text: string, port: number): void {
    if (text.startsWith('SIP/2.0 ')) {
      if (text.startsWith('SIP/2.0 1')) return;
      const branch = /^Via:.*?;branch=([^;\s]+)/im.exec(text)?.[1] ?? '';
      this.#waiting.get(branch)?.(text);
      return;
    }
    const [, method = '', user = ''] = /^(\w+) sip:(\w+)@/.exec(text) ?? [];
    if (method === 'ACK') return;
    this.#take({
      method,
      user,
      port,
      id: /^Call-ID: *(.*)\r$/im.exec(text)?.[1] ?? '',
      answer: (status) =>
        this.#write(port, [
          `SIP/2.0 ${status}`,
          ...linesOf(text, /^(Via|Record-Route|From|Call-ID|CSeq):/i),
          `To: <sip:${user}@example.com>;tag=${user}`,
          `Contact: <sip:${user}@${this.at}>`,
        ]),
    });
  }

  #write(port: number, lines: readonly string[]): void {
    this.#socket.send(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
  }
}

/** Whether an answer is a 2xx. */
export function isGood(text: string): boolean {
  return text.startsWith('SIP/2.0 2');
}

/** The Route lines of what follows in a call, by its answer. `port`: that of the proxy, where it is another one than before. */
export function routesOf(text: string, port?: number): string[] {
  return linesOf(text, /^Record-Route:/i)
    .toReversed()
    .map((line) => {
      const route = line.replace(/^Record-Route/i, 'Route');
      return port === undefined ? route : route.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`);
    });
}

function linesOf(text: string, names: RegExp): string[] {
  return text.split('\r\n').filter((line) => names.test(line));
}
