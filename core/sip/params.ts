import { CHAR_KINDS, CharKind, unfold } from './chars.ts';
import { type HeadText, skipLws, skipQuoted, skipToken } from './head-text.ts';
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
 */
export class ParamReader {
  readonly text: string;
  readonly limit: number;
  private readonly bytes: Uint8Array;
  /** Offset behind what has been read; at the end: at a comma or the limit. */
  at: number;
  nameStart = 0;
  nameEnd = 0;
  /** -1 when the parameter has no `=`. */
  valueStart = 0;
  valueEnd = 0;
  /** Why reading stopped before a comma or the limit; null while all is well. */
  fault: string | null = null;
  constructor(source: HeadText, at: number, limit: number) {
    this.text = source.head;
    this.bytes = source.bytes;
    this.at = at;
    this.limit = limit;
  }

  /** Moves to the next parameter. False at the end, and at a fault. */
  next(): boolean {
    const { bytes, limit } = this;
    let i = skipLws(bytes, this.at, limit);
    this.at = i;
    if (i >= limit || bytes[i] === 0x2c) return false;
    if (bytes[i] !== 0x3b) return this.fail('text where a parameter was expected');
    i = skipLws(bytes, i + 1, limit);
    this.nameStart = i;
    this.nameEnd = skipToken(bytes, i, limit);
    if (this.nameEnd === i) return this.fail('parameter without a name');
    this.valueStart = -1;
    this.valueEnd = -1;
    i = skipLws(bytes, this.nameEnd, limit);
    if (i < limit && bytes[i] === 0x3d) return this.readValue(skipLws(bytes, i + 1, limit));
    this.at = this.nameEnd;
    return true;
  }

  private readValue(start: number): boolean {
    const { bytes, limit } = this;
    let end = start;
    if (start < limit && bytes[start] === 0x22) {
      end = skipQuoted(bytes, start, limit);
      if (end < 0) return this.fail('quoted string without an end');
    } else {
      const table = CHAR_KINDS; // read once, as in skipKind
      while (end < limit && (table[bytes[end]!]! & CharKind.endsValue) === 0) end++;
    }
    this.valueStart = start;
    this.valueEnd = end;
    this.at = end;
    return true;
  }

  private fail(reason: string): false {
    this.fault = reason;
    return false;
  }

  /** Whether the parameter's name is this one, given in lower case. */
  is(name: string): boolean {
    if (this.nameEnd - this.nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if ((this.bytes[this.nameStart + i]! | 0x20) !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  get name(): string {
    return knownName(this) ?? this.text.slice(this.nameStart, this.nameEnd).toLowerCase();
  }

  get value(): string | null {
    if (this.valueStart < 0) return null;
    const value = this.text.slice(this.valueStart, this.valueEnd);
    return this.bytes[this.valueStart] === 0x22 ? unfold(value) : value;
  }

  /** All parameters from here. */
  readAll(): readonly Param[] {
    if (!this.next()) return NO_PARAMS;
    const params: Param[] = [];
    do {
      params.push({ name: this.name, value: this.value });
    } while (this.next());
    return params;
  }

  /** The fault as a result. */
  malformed(): Malformed {
    return malformed(this.fault ?? 'malformed parameter', this.at);
  }
}

const KNOWN_NAMES = ['lr', 'tag', 'rport', 'branch', 'received', 'transport'] as const;

/** The names met in nearly every message, without making a new string. */
function knownName(reader: ParamReader): string | null {
  for (const name of KNOWN_NAMES) if (reader.is(name)) return name;
  return null;
}
