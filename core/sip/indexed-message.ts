import { unfold } from './chars.ts';
import {
  findHeader,
  type HeaderIndex,
  idOf,
  INDEX_STRIDE,
  startOf,
  valueEndOf,
  valueStartOf,
} from './header-index.ts';
import { Header, HEADER_IDS, type HeaderId, headerIdByName, otherSpelling } from './header-names.ts';
import { skipToken } from './head-text.ts';
import type { Received } from './hop.ts';

const TAB = 0x09;
const SPACE = 0x20;

/** What a message is made of: the bytes received and where its parts stand in them. */
export interface Frame {
  /** The datagram, from the start line on. */
  readonly bytes: Buffer;
  /** All of `bytes`, or only the head. */
  readonly text: string;
  readonly headers: HeaderIndex;
  /** Offset of the first header line; where a Via or Record-Route goes on top. */
  readonly headersStart: number;
  /** Offset of the empty line: where a header is appended. */
  readonly headersEnd: number;
  readonly bodyStart: number;
  /** Offset in `bytes` behind the body. */
  readonly bodyEnd: number;
  readonly received: Received;
}

/** Where the parts of a received message stand, and what stands there, unparsed. */
export abstract class IndexedMessage implements Frame {
  bytes: Buffer;
  readonly text: string;
  readonly headers: HeaderIndex;
  readonly headersStart: number;
  readonly headersEnd: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly received: Received;
  protected constructor(frame: Frame) {
    this.bytes = frame.bytes;
    this.text = frame.text;
    this.headers = frame.headers;
    this.headersStart = frame.headersStart;
    this.headersEnd = frame.headersEnd;
    this.bodyStart = frame.bodyStart;
    this.bodyEnd = frame.bodyEnd;
    this.received = frame.received;
  }

  /** Takes a copy of bytes that are a small part of what they would keep in memory. */
  protected ownBytes(): void {
    const { bytes } = this;
    if (bytes.buffer.byteLength <= 2 * bytes.length) return;
    this.bytes = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(this.bytes);
  }

  /** Start line and headers, through the empty line. */
  get head(): string {
    return this.text.slice(0, this.bodyStart);
  }
  /** A slice of the datagram, made anew each time; never decoded. */
  get body(): Buffer {
    return this.bytes.subarray(this.bodyStart, this.bodyEnd);
  }
  get bodyLength(): number {
    return this.bodyEnd - this.bodyStart;
  }
  /** Whether `text` holds the body. */
  get hasTextBody(): boolean {
    return this.text.length >= this.bodyEnd;
  }
  /** Head and body. */
  wholeText(): string {
    const { text, bodyEnd } = this;
    return this.hasTextBody ? text.slice(0, bodyEnd) : text + this.body.toString('latin1');
  }
  /** Copies the body as received to offset `at` of `target`. */
  copyBody(target: Buffer, at: number): void {
    this.bytes.copy(target, at, this.bodyStart, this.bodyEnd);
  }

  get headerCount(): number {
    return this.headers.length / INDEX_STRIDE;
  }
  headerId(i: number): HeaderId {
    return HEADER_IDS[idOf(this.headers, i)]!;
  }
  /** Offsets of header i's whole line(s), line end included. */
  headerStart(i: number): number {
    return startOf(this.headers, i);
  }
  headerEnd(i: number): number {
    let end = this.valueEnd(i);
    do end = this.text.indexOf('\n', end) + 1;
    while (this.bytes[end] === SPACE || this.bytes[end] === TAB);
    return end;
  }
  /** Offsets of its value, surrounding white space left out, folds inside kept. */
  valueStart(i: number): number {
    return valueStartOf(this.headers, i);
  }
  valueEnd(i: number): number {
    return valueEndOf(this.headers, i);
  }
  name(i: number): string {
    const start = this.headerStart(i);
    return this.text.slice(start, skipToken(this.bytes, start, this.headersEnd));
  }
  /** Header i's value, unfolded (each fold becomes one space; RFC 3261 7.3.1). */
  value(i: number): string {
    return unfold(this.text.slice(this.valueStart(i), this.valueEnd(i)));
  }
  /** Index of the first header of this kind behind index `after`, or -1. */
  find(id: HeaderId, after = -1): number {
    return findHeader(this.headers, id, after);
  }
  /** The same by name: any case, compact or long, known or not. */
  findName(name: string, after = -1): number {
    const wanted = name.toLowerCase();
    const id = headerIdByName(wanted);
    if (id !== Header.other) return this.find(id, after);
    const spelling = otherSpelling(wanted);
    for (let i = this.find(Header.other, after); i >= 0; i = this.find(Header.other, i)) {
      const found = this.name(i).toLowerCase();
      if (found === wanted || found === spelling) return i;
    }
    return -1;
  }
  /** Unfolded value of the first header of this kind, or null. */
  first(id: HeaderId): string | null {
    const i = this.find(id);
    return i < 0 ? null : this.value(i);
  }
}
