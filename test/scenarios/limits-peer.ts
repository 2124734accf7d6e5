import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from '../programs/child.ts';

let calls = 0;

/** A call as its caller knows it: enough to end it. */
export interface Dialog {
  readonly callId: string;
  readonly user: string;
  readonly destination: string;
  /** First line of the final answer. */
  readonly status: string;
  /** Lines of the Route headers for what follows. */
  readonly routes: readonly string[];
}

/** One end of calls, by hand: what it sends is written out, so that nothing of the proxy tests itself. As callee it answers all with 200. */
export class CallPeer {
  readonly #socket: Socket;
  readonly #answers: string[] = [];
  /** First lines of the requests that reached it. */
  readonly requests: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, { port }) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('SIP/2.0 ')) this.#answers.push(text);
      else this.#take(text, port);
      socket.emit('taken');
    });
  }

  static async open(t: TestContext): Promise<CallPeer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    return new CallPeer(socket);
  }

  get at(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  #take(text: string, port: number): void {
    const line = text.slice(0, text.indexOf('\r\n'));
    this.requests.push(line);
    if (line.startsWith('ACK ')) return;
    const copied = text.split('\r\n').filter((each) => /^(Via|Record-Route|From|Call-ID|CSeq):/i.test(each));
    const status = line.startsWith('INVITE sip:busy') ? '486 Busy Here' : '200 OK';
    this.#send(port, [
      `SIP/2.0 ${status}`,
      ...copied,
      `To: <sip:b@example.com>;tag=callee`,
      `Contact: <sip:${this.at}>`,
    ]);
  }

  #send(port: number, lines: readonly string[]): void {
    this.#socket.send(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
  }

  /** Calls someone through the proxy at `port`, and acknowledges the final answer. */
  async invite(
    port: number,
    { user, destination }: { readonly user: string; readonly destination: string },
  ): Promise<Dialog> {
    const callId = `limits-${process.pid}-${++calls}`;
    const answer = await this.#ask(port, {
      method: 'INVITE',
      callId,
      user,
      destination,
      routes: [],
      cseq: 1,
    });
    const routes = answer
      .split('\r\n')
      .filter((line) => /^Record-Route:/i.test(line))
      .map((line) => line.replace(/^Record-Route/i, 'Route'))
      .toReversed();
    const status = answer.slice('SIP/2.0 '.length, answer.indexOf('\r\n'));
    return { callId, user, destination, status, routes };
  }

  /** Ends a call; resolves to the first line of the answer. */
  async bye(port: number, dialog: Dialog): Promise<string> {
    const answer = await this.#ask(port, { ...dialog, method: 'BYE', cseq: 2 });
    return answer.slice('SIP/2.0 '.length, answer.indexOf('\r\n'));
  }

  async #ask(
    port: number,
    {
      method,
      callId,
      user,
      destination,
      routes,
      cseq,
    }: Omit<Dialog, 'status'> & { readonly method: string; readonly cseq: number },
  ): Promise<string> {
    this.#send(port, [
      `${method} sip:${destination} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.at};branch=z9hG4bK${callId}-${cseq}`,
      'Max-Forwards: 70',
      ...routes,
      `From: <sip:${user}@example.com>;tag=caller`,
      `To: <sip:b@example.com>${cseq === 1 ? '' : ';tag=callee'}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${user}@${this.at}>`,
    ]);
    const patience = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const index = this.#answers.findIndex(
        (text) =>
          /^SIP\/2\.0 [2-6]/.test(text) &&
          text.includes(`\r\nCall-ID: ${callId}\r\n`) &&
          text.includes(`${cseq} ${method}`),
      );
      if (index !== -1) return this.#answers.splice(index, 1)[0] ?? '';
      await once(this.#socket, 'taken', { signal: patience });
    }
  }
}
