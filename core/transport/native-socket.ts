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

/** A UDP socket that reads many datagrams at a time (core/transport/native). */
class NativeSocket implements DatagramSocket {
  readonly #binding: NativeBinding;
  readonly #own: Sender;
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
    const holder: NativeHolder = {
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
    };
    const { handle, receiveBytes, sendBytes, ...own } = binding.open(
      address,
      port,
      SOCKET_BUFFER_BYTES,
      holder,
    );
    this.#handle = handle;
    this.#own = own;
    logBuffers(log, own, { receiveBytes, sendBytes });
  }

  address(): Sender {
    return this.#own;
  }

  getSendQueueSize(): number {
    return this.#waitingBytes;
  }

  send(bytes: Buffer, port: number, address: string, sent?: Sent): void {
    if (!(port > 0 && port <= MAX_PORT))
      throw new RangeError(`Port should be > 0 and < 65536, found ${port}`);
    if (this.#waiting.length > 0 || !this.#trySend(bytes, port, address, sent))
      this.#wait({ bytes, port, address, sent });
  }

  close(closed?: () => void): void {
    if (this.#handle !== null) this.#binding.close(this.#handle);
    this.#handle = null;
    this.#waitingBytes = 0;
    for (const { sent } of this.#waiting.splice(0))
      if (sent !== undefined) process.nextTick(sent, new Error('socket is closed'), 0);
    if (closed !== undefined) process.nextTick(closed);
  }

  /** False where the system's buffer is full. */
  #trySend(bytes: Buffer, port: number, address: string, sent: Sent | undefined): boolean {
    if (this.#handle === null) throw new Error('socket is closed');
    const result = this.#binding.send(this.#handle, bytes, address, port);
    if (result < 0 && FULL.includes(result)) return false;
    const error = result < 0 ? systemError('send', result, `${address}:${port}`) : null;
    if (sent !== undefined) process.nextTick(sent, error, bytes.length);
    else if (error !== null) process.nextTick(this.#onError, error);
    return true;
  }

  #wait(datagram: Waiting): void {
    if (this.#waiting.length === 0 && this.#handle !== null) this.#binding.awaitWritable(this.#handle);
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.bytes.length;
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    let taken = 0;
    for (const { bytes, port, address, sent } of waiting) {
      if (!this.#trySend(bytes, port, address, sent)) break;
      this.#waitingBytes -= bytes.length;
      taken += 1;
    }
    this.#waiting = waiting.slice(taken);
    if (this.#waiting.length > 0 && this.#handle !== null) this.#binding.awaitWritable(this.#handle);
  }
}

/** The error as `node:dgram` has it: `send EMSGSIZE 192.0.2.1:5060`, with its code. */
function systemError(syscall: string, errno: number, place = ''): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code} ${place}`.trimEnd()), { code, errno, syscall });
}
