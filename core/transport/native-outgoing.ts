import {
  DESTINATIONS,
  type NativeBinding,
  type NativeHandle,
  QUEUE,
  QUEUE_HEAD,
  QUEUE_STRIDE,
} from './native-binding.ts';

/** Bytes that wait to be sent together at most. */
const OUTGOING_BYTES = 65_536;

/** The memory that datagrams are written to: see NativeHolder. */
export function outgoingMemory(): { readonly queue: Uint32Array; readonly outgoing: Uint8Array } {
  return {
    queue: new Uint32Array(QUEUE_HEAD + QUEUE * QUEUE_STRIDE),
    outgoing: new Uint8Array(OUTGOING_BYTES),
  };
}

/**
 * What a native socket sends in a turn of the event loop. Datagrams are written to memory that the addon reads at the end of the turn: one system call for all of
 * them and none of the addon's functions for each.
 */
export class NativeOutgoing {
  readonly #binding: NativeBinding;
  readonly #handle: NativeHandle;
  readonly #queue: Uint32Array;
  readonly #outgoing: Uint8Array;
  /** Places of the addresses that the addon knows. */
  readonly #places = new Map<string, number>();

  constructor(
    binding: NativeBinding,
    handle: NativeHandle,
    { queue, outgoing }: ReturnType<typeof outgoingMemory>,
  ) {
    this.#binding = binding;
    this.#handle = handle;
    this.#queue = queue;
    this.#outgoing = outgoing;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#queue[1]!;
  }

  /** Queues a datagram; false where it cannot wait with the others, because of its size, its address, or a system that takes no more. */
  add(bytes: Buffer, port: number, address: string): boolean {
    const queue = this.#queue;
    const { length } = bytes;
    const place = this.#places.get(address) ?? this.#learn(address);
    if (place < 0 || length > OUTGOING_BYTES) return false;
    if ((queue[0] === QUEUE || queue[1]! + length > OUTGOING_BYTES) && !this.flush()) return false;
    const count = queue[0]!;
    const at = QUEUE_HEAD + count * QUEUE_STRIDE;
    this.#outgoing.set(bytes, queue[1]);
    queue[at] = length;
    queue[at + 1] = place;
    queue[at + 2] = port;
    queue[0] = count + 1;
    queue[1]! += length;
    return true;
  }

  /** Sends what waits now; false where the system does not take all of it. */
  flush(): boolean {
    return this.#queue[0] === 0 || this.#binding.flush(this.#handle) === 0;
  }

  /** Gives an address a place; -1 where it is none, or those that have one still wait. */
  #learn(address: string): number {
    if (this.#places.size === DESTINATIONS) {
      if (!this.flush()) return -1;
      this.#places.clear();
    }
    const place = this.#places.size;
    if (this.#binding.setDestination(this.#handle, place, address) < 0) return -1;
    this.#places.set(address, place);
    return place;
  }
}
