import { createRequire } from 'node:module';
import { errors } from '../errors.ts';
import type { Sender } from './datagram-socket.ts';

/** Datagrams of a batch at most, as `BATCH` in native/udp-socket.h. */
export const BATCH = 32;
/** Numbers for each datagram of a batch, as `STRIDE` there. */
export const STRIDE = 3;

/** Datagrams that wait to be sent together at most, as `QUEUE` in native/outgoing.h. */
export const QUEUE = 64;
/** Numbers at the beginning of `queue`, as `QUEUE_HEAD` there: how many datagrams wait, and how many bytes. */
export const QUEUE_HEAD = 2;
/** Numbers for each of them, as `QUEUE_STRIDE` there: length, place of the destination, port. */
export const QUEUE_STRIDE = 3;
/** Destinations that are known by a number at a time, as `DESTINATIONS` there. */
export const DESTINATIONS = 1_024;

/** What a native socket calls, reads and writes. */
export interface NativeHolder {
  /** `count` datagrams stand in `slab`; for each, `batch` has offset, length, and its sender's place in `senders`. */
  readonly onBatch: (slab: Buffer, count: number) => void;
  /** The system takes datagrams again, and all that was queued is sent: after `awaitWritable`, and after it was full. */
  readonly onWritable: () => void;
  /** `errno` below 0, of reading. */
  readonly onError: (errno: number) => void;
  /** So many datagrams of the queue could not be sent; `errno` below 0, of the last. */
  readonly onSendError: (errno: number, count: number) => void;
  /** Filled by the socket. */
  readonly senders: Sender[];
  readonly batch: Uint32Array;
  /** What is to be sent at the end of the turn of the event loop; see QUEUE_HEAD and QUEUE_STRIDE. */
  readonly queue: Uint32Array;
  /** The bytes of it, one datagram behind the other. */
  readonly outgoing: Uint8Array;
}

declare const handle: unique symbol;
/** A native socket, for the functions of the binding alone. */
export interface NativeHandle {
  readonly [handle]?: never;
}

/** What native/binding.c exports. */
export interface NativeBinding {
  /** @throws the system's error, with `code` and `errno`. */
  open(
    address: string,
    port: number,
    bufferBytes: number,
    holder: NativeHolder,
  ): Sender & { readonly handle: NativeHandle; readonly receiveBytes: number; readonly sendBytes: number };
  /** Bytes sent, or an errno below 0. */
  send(handle: NativeHandle, bytes: Buffer, address: string, port: number): number;
  /** Makes a numeric address known by its place; an errno below 0 where it is none of the socket's family. */
  setDestination(handle: NativeHandle, place: number, address: string): number;
  /** Sends what is queued; returns how many datagrams of it the system does not take now. */
  flush(handle: NativeHandle): number;
  awaitWritable(handle: NativeHandle): void;
  close(handle: NativeHandle): void;
}

/** Where `native/build.sh` puts it. */
const BUILT = './native/udp.node';

/** Loads the native sockets. @throws ERR_NATIVE_UDP where they have not been built. */
export function loadNativeBinding(file: string = BUILT): NativeBinding {
  try {
    const binding: NativeBinding = createRequire(import.meta.url)(file);
    return binding;
  } catch (cause) {
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw Object.assign(errors.ERR_NATIVE_UDP(reason), { cause });
  }
}
