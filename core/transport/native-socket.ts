import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { MAX_PORT } from '../sip/host.ts';
import {
  type DatagramSocket,
  type DatagramSocketOptions,
  logBuffers,
  type OpenDatagramSocket,
  type Sender,
  type Sent,
  SOCKET_BUFFER_BYTES,
} from './datagram-socket.ts';
import { BATCH, type NativeBinding, type NativeHandle, type NativeHolder, STRIDE } from './native-binding.ts';
import { NativeOutgoing, outgoingMemory } from './native-outgoing.ts';

/** What the system says where its buffer is full. */
const FULL: readonly number[] = [-constants.errno.EAGAIN, -constants.errno.ENOBUFS];

interface Waiting {
  readonly bytes: Buffer;
  readonly port: number;
  readonly address: string;
  readonly sent: Sent | undefined;
}

/** Makes sockets by a native binding. */
export function nativeSockets(binding: NativeBinding): OpenDatagramSocket {
  return async (options) => new NativeSocket(binding, options);
}

/**
 * A UDP socket that reads and sends many datagrams at a time (core/transport/native). What is sent without asking what became of it goes at the end of the turn
 * of the event loop, or before the next that is asked about.
 */
class NativeSocket implements DatagramSocket {
  readonly #binding: NativeBinding;
  readonly #own: Sender;
  readonly #outgoing: NativeOutgoing;
  readonly #onError: (error: Error) => void;
  #handle: NativeHandle | null;
  /** Those that the system did not take at once, in order. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  constructor(binding: NativeBinding, { address, port, log, onDatagram, onError }: DatagramSocketOptions) {
    this.#binding = binding;
    this.#onError = onError;
    const senders: Sender[] = [];
    const batch = new Uint32Array(BATCH * STRIDE);
    const memory = outgoingMemory();
    const holder: NativeHolder = {
      ...memory,
      senders,
      batch,
      onBatch: (slab, count) => {
        for (let i = 0; i < count * STRIDE && this.#handle !== null; i += STRIDE) {
          const start = batch[i]!;
          onDatagram(slab.subarray(start, start + batch[i + 1]!), senders[batch[i + 2]!]!);
        }
      },
      onWritable: () => this.#sendWaiting(),
      onError: (errno) => onError(systemError('recvmmsg', errno)),
      onSendError: (errno, count) => {
        for (let i = 0; i < count; i += 1) onError(systemError('sendmmsg', errno));
      },
    };
    const { handle, receiveBytes, sendBytes, ...own } = binding.open(
      address,
      port,
      SOCKET_BUFFER_BYTES,
      holder,
    );
    this.#handle = handle;
    this.#outgoing = new NativeOutgoing(binding, handle, memory);
    this.#own = own;
    logBuffers(log, own, { receiveBytes, sendBytes });
  }

  address(): Sender {
    return this.#own;
  }

  getSendQueueSize(): number {
    return this.#outgoing.bytes + this.#waitingBytes;
  }

  send(bytes: Buffer, port: number, address: string, sent?: Sent): void {
    if (!(port > 0 && port <= MAX_PORT))
      throw new RangeError(`Port should be > 0 and < 65536, found ${port}`);
    if (this.#handle === null) throw new Error('socket is closed');
    if (this.#waiting.length === 0) {
      if (sent === undefined && this.#outgoing.add(bytes, port, address)) return;
      if (this.#outgoing.flush() && this.#trySend(this.#handle, { bytes, port, address, sent })) return;
    }
    this.#wait(this.#handle, { bytes, port, address, sent });
  }

  close(closed?: () => void): void {
    if (this.#handle !== null) {
      this.#outgoing.flush();
      this.#binding.close(this.#handle);
    }
    this.#handle = null;
    this.#waitingBytes = 0;
    for (const { sent } of this.#waiting.splice(0))
      if (sent !== undefined) process.nextTick(sent, new Error('socket is closed'), 0);
    if (closed !== undefined) process.nextTick(closed);
  }

  /** False where the system's buffer is full. */
  #trySend(handle: NativeHandle, { bytes, port, address, sent }: Waiting): boolean {
    const result = this.#binding.send(handle, bytes, address, port);
    if (result < 0 && FULL.includes(result)) return false;
    const error = result < 0 ? systemError('send', result, `${address}:${port}`) : null;
    if (sent !== undefined) process.nextTick(sent, error, bytes.length);
    else if (error !== null) process.nextTick(this.#onError, error);
    return true;
  }

  #wait(handle: NativeHandle, datagram: Waiting): void {
    if (this.#waiting.length === 0) this.#binding.awaitWritable(handle);
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.bytes.length;
  }

  #sendWaiting(): void {
    const handle = this.#handle;
    if (handle === null) return;
    const waiting = this.#waiting;
    let taken = 0;
    for (const datagram of waiting) {
      if (!this.#trySend(handle, datagram)) break;
      this.#waitingBytes -= datagram.bytes.length;
      taken += 1;
    }
    this.#waiting = waiting.slice(taken);
    if (this.#waiting.length > 0) this.#binding.awaitWritable(handle);
  }
}

/** The error as `node:dgram` has it: `send EMSGSIZE 192.0.2.1:5060`, with its code. */
function systemError(syscall: string, errno: number, place = ''): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code} ${place}`.trimEnd()), { code, errno, syscall });
}
