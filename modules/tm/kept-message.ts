/** Size of the slabs that messages kept for long share, bytes. */
const SLAB_BYTES = 64 * 1024;

let slab = Buffer.alloc(0);
let used = 0;

/**
 * A message that may be sent again for as long as a transaction waits. It is a copy, beside others that are kept as long: the message's own buffer would hold on to a
 * slab that it shares with messages that are long done, and a text is one more thing that the garbage collector copies.
 */
export class KeptMessage {
  readonly #slab: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(message: Buffer) {
    if (used + message.length > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, message.length));
      used = 0;
    }
    slab.set(message, used);
    this.#slab = slab;
    this.#start = used;
    used += message.length;
    this.#end = used;
  }

  /** The same memory each time, for reading. */
  get bytes(): Buffer {
    return this.#slab.subarray(this.#start, this.#end);
  }
}
