import { randomFillSync } from 'node:crypto';
import type { ListenPoint, Target } from '../sip/hop.ts';
import { isWildcard, unmapped } from './addresses.ts';
import type { DatagramSocket, OpenDatagramSocket, Sender } from './datagram-socket.ts';
import { deliver } from './deliver.ts';
import { listenPoint } from './listen-point.ts';
import { isStun, stunAnswer } from './stun.ts';
import { Takers } from './takers.ts';
import {
  type Counters,
  newCounters,
  type SendFailure,
  type Transport,
  type TransportOptions,
} from './transport.ts';

/** What may wait in the process because the socket's buffer is full, bytes. */
const MAX_QUEUED_BYTES = 8 * 1_024 * 1_024;
/** Longest datagram that counts as a keep-alive: a double CRLF (RFC 5626 3.5.1). */
const MAX_KEEP_ALIVE_BYTES = 4;

/** First byte of a probe: neither SIP nor STUN begins with it. */
const PROBE_MARK = 0xff;
/** Bytes of a probe: the mark, what nobody can guess, and its number. */
const PROBE_BYTES = 17;
const NUMBER_BYTES = 4;
const SECRET_END = PROBE_BYTES - NUMBER_BYTES;

/** Stands in for a probe that cannot come back: calls once the sockets have been read that have something now. */
function afterTurn(read: () => void): void {
  setImmediate(() => setImmediate(read));
}

/** Whether a datagram has no message in it: it is empty, or a line end or two. */
function isKeepAlive(bytes: Buffer): boolean {
  if (bytes.length > MAX_KEEP_ALIVE_BYTES) return false;
  return bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}

/** SIP over UDP on one address (RFC 3261 18). */
export class UdpTransport implements Transport {
  readonly counters: Counters = newCounters();
  readonly #options: TransportOptions;
  readonly #takers: Takers;
  readonly #openSocket: OpenDatagramSocket;
  #socket: DatagramSocket | null = null;
  /** What probes are made from. */
  readonly #probeSecret = randomFillSync(Buffer.alloc(PROBE_BYTES));
  #probes = 0;
  #probe: { readonly bytes: Buffer; readonly read: () => void } | null = null;
  /** A probe has come back, ever. */
  #isHeard = false;
  /** One was lost, and none has ever come back: this machine has no such address now, or a firewall keeps it from itself. */
  #isDeaf = false;

  constructor(options: TransportOptions, openSocket: OpenDatagramSocket) {
    this.#options = options;
    this.#openSocket = openSocket;
    this.#takers = new Takers(options.clock);
  }

  async open(): Promise<ListenPoint> {
    const { option, address, family, log } = this.#options;
    const socket = await this.#openSocket({
      address,
      port: option.port,
      family,
      log,
      onDatagram: (bytes, from) => this.#receive(bytes, from, point),
      // Such as an ICMP error for an earlier datagram: the socket goes on.
      onError: (error) => {
        this.counters.errors += 1;
        log.warn('udp socket error', { listen: point.sentBy, error });
      },
    });
    // What arrives is read in a later turn of the event loop.
    const point = listenPoint(option, socket.address());
    this.#socket = socket;
    return point;
  }

  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    const socket = this.#socket;
    if (socket === null) return this.#fail(new Error('socket is closed'), onError);
    if (socket.getSendQueueSize() + bytes.length > MAX_QUEUED_BYTES) {
      return this.#fail(new Error('send queue is full'), onError);
    }
    const { address, port } = target;
    try {
      if (this.#takers.takes(address, bytes.length)) {
        socket.send(bytes, port, address);
        this.#count(bytes.length);
      } else {
        socket.send(bytes, port, address, (error, length) => this.#sent(address, { error, length, onError }));
      }
    } catch (error) {
      // Arguments that Node.js refuses, such as port 0.
      this.#fail(error instanceof Error ? error : new Error(String(error)), onError);
    }
  }

  /** One that is sent while another is under way takes its place. */
  probe(read: () => void): void {
    if (this.#socket === null) return;
    const { address, port } = this.#socket.address();
    const own = isWildcard(address) ? (this.#options.family === 4 ? '127.0.0.1' : '::1') : address;
    this.#probes = (this.#probes + 1) % 2 ** (8 * NUMBER_BYTES);
    const bytes = Buffer.from(this.#probeSecret);
    bytes[0] = PROBE_MARK;
    bytes.writeUInt32BE(this.#probes, SECRET_END);
    if (this.#probe !== null && !this.#isHeard) this.#isDeaf = true;
    const probe = { bytes, read: this.#isDeaf ? () => {} : read };
    this.#probe = probe;
    if (this.#isDeaf) afterTurn(read);
    // One that is lost on its way tells as much: it never comes. One that could not be sent tells nothing.
    this.#socket.send(bytes, port, own, (error) => {
      if (error === null || this.#probe !== probe) return;
      this.#probe = null;
      afterTurn(probe.read);
    });
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    return new Promise((resolve) => {
      if (socket === null) resolve();
      else socket.close(resolve);
    });
  }

  #receive(bytes: Buffer, from: Sender, point: ListenPoint): void {
    if (isKeepAlive(bytes)) {
      this.counters.keepAlives += 1;
      return;
    }
    if (isStun(bytes)) return this.#answerStun(bytes, from);
    if (this.#isProbe(bytes)) return this.#probeRead(bytes);
    this.counters.received += 1;
    this.counters.receivedBytes += bytes.length;
    const address = point.family === 4 ? from.address : unmapped(from.address);
    deliver(this.#options, bytes, { point, address, port: from.port, flow: 0 });
  }

  /** An answer that cannot be sent is asked for again. */
  #answerStun(bytes: Buffer, { address, port }: Sender): void {
    this.counters.keepAlives += 1;
    const answer = stunAnswer(bytes, address, port);
    if (answer !== null) this.send(answer, { protocol: 'udp', address, port });
  }

  #isProbe(bytes: Buffer): boolean {
    if (bytes[0] !== PROBE_MARK || bytes.length !== PROBE_BYTES) return false;
    return bytes.subarray(1, SECRET_END).equals(this.#probeSecret.subarray(1, SECRET_END));
  }

  #probeRead(bytes: Buffer): void {
    this.#isHeard = true;
    this.#isDeaf = false;
    // Else one that had been taken for lost.
    if (this.#probe?.bytes.equals(bytes) !== true) return;
    const { read } = this.#probe;
    this.#probe = null;
    read();
  }

  #sent(
    address: string,
    { error, length, onError }: { error: Error | null; length: number; onError: SendFailure | undefined },
  ): void {
    if (error === null) {
      this.#takers.took(address);
      return this.#count(length);
    }
    this.counters.errors += 1;
    onError?.(error);
  }

  #count(bytes: number): void {
    this.counters.sent += 1;
    this.counters.sentBytes += bytes;
  }

  #fail(error: Error, onError: SendFailure | undefined): void {
    this.counters.errors += 1;
    if (onError !== undefined) process.nextTick(onError, error);
  }
}
