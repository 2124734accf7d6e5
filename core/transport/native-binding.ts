import { createRequire } from 'node:module';
import { errors } from '../errors.ts';
import type { Sender } from './datagram-socket.ts';

/** Datagrams of a batch at most, as `BATCH` in native/udp-socket.h. */
export const BATCH = 32;
/** Numbers for each datagram of a batch, as `STRIDE` there. */
export const STRIDE = 3;

/** What a native socket calls and writes to. */
export interface NativeHolder {
  /** `count` datagrams stand in `slab`; for each, `batch` has offset, length, and its sender's place in `senders`. */
  readonly onBatch: (slab: Buffer, count: number) => void;
  /** The system takes datagrams again, after `awaitWritable`. */
  readonly onWritable: () => void;
  /** `errno` below 0, of reading. */
  readonly onError: (errno: number) => void;
  /** Filled by the socket. */
  readonly senders: Sender[];
  readonly batch: Uint32Array;
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
