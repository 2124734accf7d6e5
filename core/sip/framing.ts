import { contentLength } from './content-length.ts';
import { latin1Text } from './latin1.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';
import { scanHead } from './scan.ts';

/** The largest head of a message on a stream, bytes: what a peer can make us keep without saying how much is to come. */
export const MAX_STREAM_HEAD_BYTES = 32_768;

/** What stands next in a stream. */
export type Framed =
  /** A whole message, from its start line through its body. */
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** A double CRLF between messages, which asks for a CRLF (RFC 5626 4.4.1). */
  | { readonly kind: 'ping' }
  /** Nothing whole: more bytes are needed. */
  | { readonly kind: 'more' }
  /** No one can tell where the next message starts. `head`: that of the message at fault, if it could be found, for a reply. */
  | { readonly kind: 'fault'; readonly reason: string; readonly head: Buffer | null };

const PING: Framed = { kind: 'ping' };
const MORE: Framed = { kind: 'more' };
const NOTHING = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts a stream of bytes into messages by their Content-Length (RFC 3261 18.3). Keeps no more than one message that is not whole yet,
 * and what came in one piece with it. A message that came in one piece is not copied.
 */
export class Framing {
  /** What has come and was not given away. */
  #pending: Buffer = NOTHING;
  /** What `#pending` is the filled end of, when it is a copy with room behind it. */
  #room: Buffer | null = null;
  #filled = 0;
  /** How much of `#pending` holds no end of a head. */
  #searched = 0;
  /** Length of the message at the start of `#pending`, once its head is known; else 0. */
  #messageBytes = 0;
  #lineEnds = 0;

  /** Whether part of a message is waiting for the rest. */
  get partial(): boolean {
    return this.#pending.length > 0;
  }

  /** Adds what arrived. The bytes become part of the messages, and must not change any more. */
  add(bytes: Buffer): void {
    if (this.#pending.length === 0) {
      this.#pending = bytes;
      this.#room = null;
    } else {
      this.#append(bytes);
    }
  }

  /** Takes what is next. To be called until it needs more; not again after a fault. */
  next(): Framed {
    if (this.#messageBytes === 0) {
      if (this.#skipLineEnds()) return PING;
      const fault = this.#readHead();
      if (fault !== null) return fault;
    }
    if (this.#messageBytes === 0 || this.#pending.length < this.#messageBytes) return MORE;
    const bytes = this.#pending.subarray(0, this.#messageBytes);
    this.#drop(this.#messageBytes);
    this.#messageBytes = 0;
    this.#lineEnds = 0;
    return { kind: 'message', bytes };
  }

  /** Doubles the room each time, so that a message in many small pieces is not copied once for each. */
  #append(bytes: Buffer): void {
    const length = this.#pending.length + bytes.length;
    let room = this.#room;
    if (room === null || this.#filled + bytes.length > room.length) {
      room = Buffer.allocUnsafeSlow(2 * length);
      this.#filled = this.#pending.copy(room);
      this.#room = room;
    }
    bytes.copy(room, this.#filled);
    this.#filled += bytes.length;
    this.#pending = room.subarray(this.#filled - length, this.#filled);
  }

  #drop(count: number): void {
    this.#pending = count === this.#pending.length ? NOTHING : this.#pending.subarray(count);
    this.#searched = 0;
  }

  /** Takes CRLFs that stand before a message (RFC 3261 7.5) up to the second in a row: true then. */
  #skipLineEnds(): boolean {
    const bytes = this.#pending;
    let at = 0;
    while (bytes[at] === CR && bytes[at + 1] === LF) {
      at += 2;
      this.#lineEnds += 1;
      if (this.#lineEnds % 2 === 0) {
        this.#drop(at);
        return true;
      }
    }
    if (at > 0) this.#drop(at);
    return false;
  }

  #readHead(): Framed | null {
    const bytes = this.#pending;
    const end = bytes.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3), 'latin1');
    this.#searched = bytes.length;
    const length = end < 0 ? bytes.length : end + 4;
    if (length > MAX_STREAM_HEAD_BYTES)
      return { kind: 'fault', reason: `head of more than ${MAX_STREAM_HEAD_BYTES} bytes`, head: null };
    if (end < 0) return null;
    const head = bytes.subarray(0, length);
    const text = latin1Text(head, length);
    const body = contentLength(head, scanHead(head, text).headers, MAX_MESSAGE_BYTES + 1);
    if (!body.ok) return { kind: 'fault', reason: body.reason, head };
    if (body.value === null) return { kind: 'fault', reason: 'no Content-Length', head };
    if (length + body.value > MAX_MESSAGE_BYTES)
      return { kind: 'fault', reason: `message of more than ${MAX_MESSAGE_BYTES} bytes`, head };
    this.#messageBytes = length + body.value;
    return null;
  }
}
