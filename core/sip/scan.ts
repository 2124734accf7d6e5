import { type HeaderIndex, INDEX_STRIDE, setHeader } from './header-index.ts';
import { skipLws, skipToken, trimLws } from './head-text.ts';
import { Header, headerIdOf } from './header-names.ts';

/** The most headers that a message may have; one on several folded lines counts once. */
export const MAX_HEADERS = 256;

/** Where the parts of a message's head stand: offsets from the first byte of the start line. */
export interface HeadIndex {
  /** Offset of the start line's CRLF. */
  readonly startLineEnd: number;
  /** Offset of the first header line. */
  readonly headersStart: number;
  /** Offset of the empty line. */
  readonly headersEnd: number;
  /** Offset behind the empty line: where the body starts. */
  readonly bodyStart: number;
  /** Malformed lines are left out. */
  readonly headers: HeaderIndex;
  /** The first thing wrong with the head, or null. */
  readonly fault: string | null;
  readonly faultAt: number;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Indexes a head in one pass. `text` is the latin1 view of `bytes`, or of its start through the empty line: line ends are searched in the
 * text, since that is the fastest, and the rest is read from the bytes. Lines end in CRLF only: a lone CR or LF is a fault, since the next
 * element might take it for a line end and see other headers than we do. Behind a fault the scan goes on, so that a reply can be built from the
 * sound lines.
 */
export function scanHead(bytes: Uint8Array, text: string): HeadIndex {
  return new HeadScan(bytes, text).run();
}

/** The index of the head in hand; a message takes a copy, which is as long as it has to be. */
const found: number[] = Array.from({ length: MAX_HEADERS * INDEX_STRIDE }, () => 0);

class HeadScan implements HeadIndex {
  startLineEnd = 0;
  headersStart = 0;
  headersEnd = 0;
  bodyStart = 0;
  headers: HeaderIndex = [];
  fault: string | null = null;
  faultAt = -1;
  private faults = 0;
  private count = 0;
  private readonly bytes: Uint8Array;
  private readonly text: string;
  constructor(bytes: Uint8Array, text: string) {
    this.bytes = bytes;
    this.text = text;
  }

  run(): this {
    const { bytes } = this;
    const { length } = this.text;
    this.startLineEnd = this.lineEnd(0);
    let at = Math.min(this.startLineEnd + 2, length);
    for (let count = 0; ; count++) {
      if (at >= length) return this.ended(at, at, 'no empty line behind the headers');
      if (bytes[at] === CR && at + 1 < length && bytes[at + 1] === LF) return this.ended(at, at + 2, null);
      if (count === MAX_HEADERS) return this.ended(at, at, `more than ${MAX_HEADERS} headers`);
      at = this.header(at);
    }
  }

  private ended(headersEnd: number, bodyStart: number, fault: string | null): this {
    this.headersStart = Math.min(this.startLineEnd + 2, headersEnd);
    this.headersEnd = headersEnd;
    this.bodyStart = bodyStart;
    this.headers = found.slice(0, this.count * INDEX_STRIDE);
    if (fault !== null) this.fail(fault, headersEnd);
    return this;
  }

  private fail(fault: string, at: number): void {
    this.faults++;
    if (this.fault !== null) return;
    this.fault = fault;
    this.faultAt = at;
  }

  /** Indexes the header line at `start`, folds included; returns the offset of the next line. */
  private header(start: number): number {
    const { bytes, text } = this;
    const { length } = text;
    const faultsBefore = this.faults;
    let lineEnd = this.lineEnd(start);
    while (lineEnd + 2 < length && (bytes[lineEnd + 2] === SPACE || bytes[lineEnd + 2] === TAB)) {
      lineEnd = this.lineEnd(lineEnd + 3);
    }
    const colon = text.indexOf(':', start);
    let nameEnd = colon;
    while (nameEnd > start && (bytes[nameEnd - 1] === SPACE || bytes[nameEnd - 1] === TAB)) nameEnd--;
    if (nameEnd <= start || colon >= lineEnd) {
      this.fail('header line without a name and colon', start);
      return Math.min(lineEnd + 2, length);
    }
    const id = headerIdOf(bytes, start, nameEnd);
    if (id === Header.other && skipToken(bytes, start, nameEnd) < nameEnd)
      this.fail('header name that is no token', start);
    if (this.faults === faultsBefore) {
      // A line with a fault in it is not indexed: no reply may copy it.
      const valueEnd = trimLws(bytes, colon + 1, lineEnd);
      const valueStart = skipLws(bytes, colon + 1, valueEnd);
      setHeader(found, this.count, id, start, valueStart, valueEnd);
      this.count++;
    }
    return Math.min(lineEnd + 2, length);
  }

  /** Offset of the CRLF that ends the line, or the length when there is none. */
  private lineEnd(from: number): number {
    const { text } = this;
    const lf = text.indexOf('\n', from);
    const cr = text.indexOf('\r', from);
    if (cr >= 0 && cr + 1 === lf) return cr;
    return this.oddLineEnd(from);
  }

  private oddLineEnd(from: number): number {
    const end = this.text.indexOf('\r\n', from);
    this.fail(end < 0 ? 'line without an end' : 'CR or LF alone', from);
    return end < 0 ? this.text.length : end;
  }
}
