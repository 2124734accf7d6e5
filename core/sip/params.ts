import { CHAR_KINDS, CharKind, unfold } from './chars.ts';
import { asciiBytes, type HeadText, skipLws, skipQuoted, skipToken } from './head-text.ts';
import { type Malformed, malformed } from './result.ts';

/** A parameter as it stands: name in lower case, value raw (quoted strings with their quotes), null when there is no `=`. */
export interface Param {
  readonly name: string;
  readonly value: string | null;
}

/** The parameters of a value that has none. */
export const NO_PARAMS: readonly Param[] = Object.freeze([]);

/** Reads a parameter: '' for one without value, null when absent. `name` in lower case. */
export function paramValue(params: readonly Param[], name: string): string | null {
  for (let i = 0; i < params.length; i++) {
    const param = params[i]!;
    if (param.name === name) return param.value ?? '';
  }
  return null;
}

/**
 * Reads header parameters one by one, without building any: `;name`, `;name=value` or `;name="value"` with white space anywhere
 * between (RFC 3261 7.3.1, 25.1). Values may hold any byte that cannot end them, so that unbracketed IPv6 passes (RFC 5118 4.5).
 * It keeps offsets only, so one reader serves all; what it reads from is given to it at each step.
 */
export class ParamReader {
  /** Offset behind what has been read; at the end: at a comma or the limit. */
  at = 0;
  nameStart = 0;
  #nameEnd = 0;
  /** -1 when the parameter has no `=`. */
  #valueStart = 0;
  #valueEnd = 0;
  /** Why reading stopped before a comma or the limit; null while all is well. */
  fault: string | null = null;

  /** Goes in front of the parameters at an offset. */
  start(at: number): this {
    this.at = at;
    this.fault = null;
    return this;
  }

  /** Moves to the next parameter. False at the end, and at a fault. */
  next(bytes: Uint8Array, limit: number): boolean {
    let i = skipLws(bytes, this.at, limit);
    this.at = i;
    if (i >= limit || bytes[i] === 0x2c) return false;
    if (bytes[i] !== 0x3b) return this.#fail('text where a parameter was expected');
    i = skipLws(bytes, i + 1, limit);
    this.nameStart = i;
    this.#nameEnd = skipToken(bytes, i, limit);
    if (this.#nameEnd === i) return this.#fail('parameter without a name');
    this.#valueStart = -1;
    this.#valueEnd = -1;
    i = skipLws(bytes, this.#nameEnd, limit);
    if (i < limit && bytes[i] === 0x3d) return this.#readValue(bytes, skipLws(bytes, i + 1, limit), limit);
    this.at = this.#nameEnd;
    return true;
  }

  #readValue(bytes: Uint8Array, start: number, limit: number): boolean {
    let end = start;
    if (start < limit && bytes[start] === 0x22) {
      end = skipQuoted(bytes, start, limit);
      if (end < 0) return this.#fail('quoted string without an end');
    } else {
      const table = CHAR_KINDS; // read once, as in skipKind
      while (end < limit && (table[bytes[end]!]! & CharKind.endsValue) === 0) end++;
    }
    this.#valueStart = start;
    this.#valueEnd = end;
    this.at = end;
    return true;
  }

  #fail(reason: string): false {
    this.fault = reason;
    return false;
  }

  /** Whether the parameter's name is this one. */
  is(bytes: Uint8Array, name: Uint8Array): boolean {
    if (this.#nameEnd - this.nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if ((bytes[this.nameStart + i]! | 0x20) !== name[i]) return false;
    }
    return true;
  }

  #name(source: HeadText): string {
    for (const { text, bytes } of KNOWN_NAMES) if (this.is(source.bytes, bytes)) return text;
    return source.text.slice(this.nameStart, this.#nameEnd).toLowerCase();
  }

  /** Null without `=`. */
  value({ text, bytes }: HeadText): string | null {
    if (this.#valueStart < 0) return null;
    const value = text.slice(this.#valueStart, this.#valueEnd);
    return bytes[this.#valueStart] === 0x22 ? unfold(value) : value;
  }

  /** All parameters from here. */
  readAll(source: HeadText, limit: number): readonly Param[] {
    if (!this.next(source.bytes, limit)) return NO_PARAMS;
    const params: Param[] = [];
    do {
      params.push({ name: this.#name(source), value: this.value(source) });
    } while (this.next(source.bytes, limit));
    return params;
  }

  /** The fault as a result. */
  malformed(): Malformed {
    return malformed(this.fault ?? 'malformed parameter', this.at);
  }
}

/** The one reader: the parameters of a value are read to their end before those of the next. */
export const PARAMS = new ParamReader();

/** Names to look for, in lower case. */
export const NAME = {
  tag: asciiBytes('tag'),
  branch: asciiBytes('branch'),
  received: asciiBytes('received'),
  rport: asciiBytes('rport'),
  maddr: asciiBytes('maddr'),
} as const;

/** The names met in nearly every message, for which no new string is made. */
const KNOWN_NAMES = ['lr', 'tag', 'rport', 'branch', 'received', 'transport'].map((text) => ({
  text,
  bytes: asciiBytes(text),
}));
