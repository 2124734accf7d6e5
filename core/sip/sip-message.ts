import { errors } from '../errors.ts';
import { Edits } from './edits.ts';
import { Header, type HeaderId } from './header-names.ts';
import { readDecimal, skipLws, skipWord, trimLws } from './head-text.ts';
import { type Frame, IndexedMessage } from './indexed-message.ts';
import { methodAt } from './methods.ts';
import { type NameAddr, parseNameAddr } from './name-addr.ts';
import { type Malformed, malformed, type Parsed, parsed } from './result.ts';
import { parseVia, type Via } from './via.ts';

/** The bound of a CSeq number (RFC 3261 8.1.1.5). */
const CSEQ_NUMBER_LIMIT = 2 ** 31;

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/**
 * A received message: an index over its bytes. All strings are latin1 views, one char a byte; `decodeText` turns one
 * into text for people. Headers are parsed when first asked for. Changes go to `edits`; what is read is always what was received
 * (as in Kamailio), but for the Request-URI and next hop, which routes may set.
 */
export abstract class SipMessage extends IndexedMessage {
  abstract readonly kind: 'request' | 'response';
  /** Shared by all branches. */
  readonly edits: Edits;
  /** A body that replaces the received one when the message is printed (Content-Length follows); null: none. */
  newBody: Buffer | null = null;
  /** The Content-Type that goes with `newBody`, a byte string; null leaves the header as it is. */
  newContentType: string | null = null;
  #callId: string | null = null;
  #cseq: Parsed<CSeq> | null = null;
  #from: Parsed<NameAddr> | null = null;
  #to: Parsed<NameAddr> | null = null;
  #topVia: Parsed<Via> | null = null;
  protected constructor(frame: Frame, edits: Edits = new Edits()) {
    super(frame);
    this.edits = edits;
  }

  /** Lets go of what was parsed, which is parsed anew when asked for: for a message that is kept for long. */
  compact(): void {
    this.ownBytes();
    this.edits.compact();
    this.#callId = null;
    this.#cseq = null;
    this.#from = null;
    this.#to = null;
    this.#topVia = null;
  }

  // On a message that `checkMessage` accepted these are there; on others they throw ERR_SIP_UNCHECKED.
  get callId(): string {
    return this.#callId ?? taken(this.parsedCallId());
  }
  get cseq(): CSeq {
    return taken(this.parsedCSeq());
  }
  get from(): NameAddr {
    return taken(this.parsedFrom());
  }
  /** '' when none (RFC 2543). */
  get fromTag(): string {
    return this.from.tag ?? '';
  }
  get to(): NameAddr {
    return taken(this.parsedTo());
  }
  /** '' when none. */
  get toTag(): string {
    return this.to.tag ?? '';
  }
  get topVia(): Via {
    return taken(this.parsedTopVia());
  }

  // The same on a message that has not been checked. Offsets inside are offsets in the head.
  parsedCallId(): Parsed<string> {
    const i = this.find(Header.callId);
    if (i < 0) return malformed('no Call-ID', this.headersEnd);
    const start = this.valueStart(i);
    const end = this.valueEnd(i);
    if (start === end) return malformed('empty Call-ID', start);
    const wordEnd = skipWord(this.bytes, start, end);
    if (wordEnd < end) return malformed('white space in Call-ID', wordEnd);
    this.#callId = this.text.slice(start, end);
    return parsed(this.#callId);
  }
  parsedCSeq(): Parsed<CSeq> {
    this.#cseq ??= this.parseCSeq();
    return this.#cseq;
  }
  parsedFrom(): Parsed<NameAddr> {
    this.#from ??= this.parseAddress(Header.from, 'From');
    return this.#from;
  }
  parsedTo(): Parsed<NameAddr> {
    this.#to ??= this.parseAddress(Header.to, 'To');
    return this.#to;
  }
  parsedTopVia(): Parsed<Via> {
    if (this.#topVia === null) {
      const i = this.find(Header.via);
      this.#topVia =
        i < 0 ? malformed('no Via', this.headersEnd) : parseVia(this, this.valueStart(i), this.valueEnd(i));
    }
    return this.#topVia;
  }

  private parseCSeq(): Parsed<CSeq> {
    const i = this.find(Header.cseq);
    if (i < 0) return malformed('no CSeq', this.headersEnd);
    const start = this.valueStart(i);
    const end = this.valueEnd(i);
    const numberEnd = skipWord(this.bytes, start, end);
    const number = readDecimal(this.bytes, start, numberEnd, CSEQ_NUMBER_LIMIT);
    if (number < 0) return malformed('CSeq without a number', start);
    if (number >= CSEQ_NUMBER_LIMIT) return malformed('CSeq number of 2**31 or more', start);
    const methodStart = skipLws(this.bytes, numberEnd, end);
    const method = methodAt(this, methodStart, end);
    return method === null ? malformed('CSeq without a method', methodStart) : parsed({ number, method });
  }

  private parseAddress(id: HeaderId, label: string): Parsed<NameAddr> {
    const i = this.find(id);
    if (i < 0) return malformed(`no ${label}`, this.headersEnd);
    const end = this.valueEnd(i);
    const address = parseNameAddr(this, this.valueStart(i), end);
    if (!address.ok) return malformed(`${label}: ${address.reason}`, address.at);
    if (address.value.end < end) return malformed(`${label} with a comma`, address.value.end);
    return address;
  }

  /** Every Via value, topmost first, or the first fault. */
  vias(): Parsed<Via[]> {
    return this.listed(Header.via, (start, end) => parseVia(this, start, end));
  }
  /**
   * Values of all Contact headers; `'*'` alone for `Contact: *`; empty when there is none. An empty value, such as behind a last comma, is a
   * fault: the grammar of this list has none (RFC 3261 25.1), and RFC 4475 3.1.2.1 asks that such separators be refused.
   */
  contacts(): Parsed<NameAddr[] | '*'> {
    const i = this.find(Header.contact);
    if (i >= 0 && this.text.slice(this.valueStart(i), this.valueEnd(i)) === '*') {
      const next = this.find(Header.contact, i);
      return next < 0 ? parsed('*') : malformed('Contact * next to another', this.headerStart(next));
    }
    return this.listed(Header.contact, (start, end) => {
      const contact = parseNameAddr(this, start, end);
      return contact.ok && contact.value.uriText === '*'
        ? malformed('Contact * next to another', start)
        : contact;
    });
  }

  /** Values of a comma-separated header, over all its lines. */
  private listed<T extends { readonly end: number }>(
    id: HeaderId,
    parse: (start: number, end: number) => Parsed<T>,
  ): Parsed<T[]> {
    const values: T[] = [];
    for (let i = this.find(id); i >= 0; i = this.find(id, i)) {
      const fault = this.eachValue(i, parse, (value) => values.push(value));
      if (fault !== null) return fault;
    }
    return parsed(values);
  }

  /** Parses header i's comma-separated values one by one and hands them to `take`; returns the first fault, or null. */
  protected eachValue<T extends { readonly end: number }>(
    i: number,
    parse: (start: number, end: number) => Parsed<T>,
    take: (value: T, start: number, end: number) => void,
  ): Malformed | null {
    const end = this.valueEnd(i);
    for (let at = this.valueStart(i); ; ) {
      at = skipLws(this.bytes, at, end);
      const value = parse(at, end);
      if (!value.ok) return value;
      take(value.value, at, trimLws(this.bytes, at, value.value.end));
      at = skipLws(this.bytes, value.value.end, end);
      if (at >= end) return null;
      at++;
    }
  }
}

/** @throws ERR_SIP_UNCHECKED when there is a fault instead of a value. */
function taken<T>(value: Parsed<T>): T {
  if (value.ok) return value.value;
  throw errors.ERR_SIP_UNCHECKED(value.reason);
}
