import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Header } from '../../core/sip/header-names.ts';
import { checkMessage, parseMessage, SipRequest } from '../../core/sip/message.ts';
import { buildReply } from '../../core/sip/reply.ts';
import { RECEIVED } from '../sip/sample.ts';
import { headFault } from './head-fault.ts';

/** Where the proxy sends all requests: keeps them, answers probes with 200 and all else with 480. */
export class Sink {
  /** How Call-IDs of probes begin. */
  static readonly PROBE = 'probe-';
  /** What was received since it was last taken, but for probes and ACKs. */
  readonly requests: string[] = [];
  /** What was wrong with the form of what came, with its beginning. */
  readonly faults: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, { address, port }) => {
      const reply = this.#take(bytes);
      if (reply !== null) socket.send(reply, port, address);
    });
  }

  static async open(): Promise<Sink> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Sink(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  #take(bytes: Buffer): Buffer | null {
    const result = parseMessage(bytes, RECEIVED);
    const rejected = result.ok ? checkMessage(result.msg) : result;
    const fault = rejected?.reason ?? headFault(bytes);
    const text = bytes.toString('latin1');
    if (fault !== null) this.faults.push(`${fault}: ${JSON.stringify(text.slice(0, 1_000))}`);
    if (!(result.msg instanceof SipRequest)) {
      this.requests.push(text);
      return null;
    }
    const isProbe = result.ok && result.msg.first(Header.callId)?.startsWith(Sink.PROBE) === true;
    if (result.msg.method === 'ACK') return null;
    if (!isProbe) this.requests.push(text);
    return buildReply(result.msg, isProbe ? 200 : 480, isProbe ? 'OK' : 'Not Here', { toTag: 'sink' });
  }

  close(): void {
    this.#socket.close();
  }
}
