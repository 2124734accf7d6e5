import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { headerOf, inDialogOf, inviteOf, LOOPBACK, responseTo, SDP } from './plain-call.ts';

/** Calls under way at one time: as many as a busy proxy has, and few enough for what sockets hold. */
const AT_A_TIME = 40;
/** Longest time for all calls, ms: a proxy is to start, warm or not. */
const MAX_MS = 10_000;

/** A caller and a callee on sockets of loopback that make plain calls, as fast as they go. */
export class WarmUpCalls {
  readonly #caller: Socket;
  readonly #callee: Socket;
  /** Where the proxy listens. */
  #target = 0;
  #calls = 0;
  #started = 0;
  #ended = 0;
  #allEnded: () => void = () => undefined;

  private constructor(caller: Socket, callee: Socket) {
    this.#caller = caller.on('message', (bytes) => this.#answered(bytes.toString('latin1')));
    this.#callee = callee.on('message', (bytes) => this.#asked(bytes.toString('latin1')));
  }

  static async open(): Promise<WarmUpCalls> {
    return new WarmUpCalls(await boundSocket(), await boundSocket());
  }

  get calleeUri(): string {
    return `sip:${LOOPBACK}:${this.#callee.address().port}`;
  }

  /** Makes so many calls through the proxy at this port; resolves with how many have ended when all have, or the time is over. */
  async play(calls: number, target: number): Promise<number> {
    this.#target = target;
    this.#calls = calls;
    const over = new AbortController();
    const allEnded = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    for (let i = 0; i < Math.min(calls, AT_A_TIME); i += 1) this.#startCall();
    await Promise.race([allEnded, delay(MAX_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
    return this.#ended;
  }

  close(): void {
    this.#caller.close();
    this.#callee.close();
  }

  #startCall(): void {
    const { port: caller } = this.#caller.address();
    this.#send(this.#caller, inviteOf(String(this.#started), { caller, target: this.#target }));
    this.#started += 1;
  }

  #answered(response: string): void {
    if (!response.startsWith('SIP/2.0 2')) return;
    if (headerOf(response, 'CSeq').endsWith('BYE')) return this.#endCall();
    const { port: caller } = this.#caller.address();
    const [call = ''] = headerOf(response, 'Call-ID').split('-');
    for (const method of ['ACK', 'BYE'] as const)
      this.#send(this.#caller, inDialogOf(method, call, { ok: response, caller }));
  }

  #endCall(): void {
    this.#ended += 1;
    if (this.#started < this.#calls) this.#startCall();
    else if (this.#ended === this.#calls) this.#allEnded();
  }

  #asked(request: string): void {
    const { port: callee } = this.#callee.address();
    if (request.startsWith('INVITE')) {
      this.#send(this.#callee, responseTo(request, '180 Ringing', { callee }));
      this.#send(this.#callee, responseTo(request, '200 OK', { callee, body: SDP }));
    } else if (request.startsWith('BYE')) this.#send(this.#callee, responseTo(request, '200 OK', { callee }));
  }

  #send(socket: Socket, text: string): void {
    socket.send(Buffer.from(text, 'latin1'), this.#target, LOOPBACK);
  }
}

async function boundSocket(): Promise<Socket> {
  // What cannot be sent is lost, as it may be anywhere: the call does not end then.
  const socket = createSocket('udp4')
    .on('error', () => undefined)
    .bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}
