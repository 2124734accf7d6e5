import { isLws, unfold } from './chars.ts';
import { type HeadText, headText, skipLws, skipQuoted, trimLws } from './head-text.ts';
import { NAME, type Param, PARAMS, paramValue } from './params.ts';
import { malformed, type Parsed, parsed } from './result.ts';
import { parseUri, type Uri } from './uri.ts';

/** `"Name" <uri>;params` or `uri;params` (From, To, Contact, Route; RFC 3261 20.10, 25.1). */
export interface NameAddr {
  /** Display name as written, quotes included; null when there is none. */
  readonly displayName: string | null;
  /** The URI's raw text (between the angle brackets when there are some). */
  readonly uriText: string;
  /** Parsed when first asked for. */
  readonly uri: Parsed<Uri>;
  readonly params: readonly Param[];
  /** The `tag` parameter: '' without value, null when absent. */
  readonly tag: string | null;
  /** Offset behind this value in the text given: at a comma, or the end. */
  readonly end: number;
}

class ParsedNameAddr implements NameAddr {
  tag: string | null = null;
  end: number;
  readonly source: HeadText;
  private readonly nameStart: number;
  private readonly nameEnd: number;
  private readonly uriStart: number;
  private readonly uriEnd: number;
  private readonly paramsStart: number;
  private list: readonly Param[] | null = null;
  private parsedUri: Parsed<Uri> | null = null;
  constructor(
    source: HeadText,
    nameStart: number,
    nameEnd: number,
    uriStart: number,
    uriEnd: number,
    end: number,
  ) {
    this.source = source;
    this.nameStart = nameStart;
    this.nameEnd = nameEnd;
    this.uriStart = uriStart;
    this.uriEnd = uriEnd;
    this.end = end;
    this.paramsStart = end;
  }
  get displayName(): string | null {
    const { nameStart, nameEnd } = this;
    return nameEnd > nameStart ? unfold(this.source.text.slice(nameStart, nameEnd)) : null;
  }
  get uriText(): string {
    return this.source.text.slice(this.uriStart, this.uriEnd);
  }
  get params(): readonly Param[] {
    this.list ??= PARAMS.start(this.paramsStart).readAll(this.source, this.end);
    return this.list;
  }
  get uri(): Parsed<Uri> {
    this.parsedUri ??= parseUri(this.uriText);
    return this.parsedUri;
  }
}

/**
 * Parses one name-addr or addr-spec, in a text or a message's head, from `start`; stops at a comma outside quotes and brackets, or at
 * `limit`, which is the end where it is not given.
 */
export function parseNameAddr(from: string | HeadText, start = 0, end?: number): Parsed<NameAddr> {
  const source = typeof from === 'string' ? headText(from) : from;
  const limit = end ?? source.text.length;
  const { bytes } = source;
  const nameStart = skipLws(bytes, start, limit);
  const quoteEnd = bytes[nameStart] === 0x22 ? skipQuoted(bytes, nameStart, limit) : nameStart;
  if (quoteEnd < 0) return malformed('quoted string without an end', nameStart);
  const open = displayNameEnd(bytes, quoteEnd, limit);
  if (open < 0) {
    if (quoteEnd > nameStart) return malformed('display name without a URI in angle brackets', nameStart);
    return parseAddrSpec(source, nameStart, limit);
  }
  const nameEnd = trimLws(bytes, nameStart, open);
  if (quoteEnd > nameStart && nameEnd > quoteEnd)
    return malformed('text behind a quoted display name', quoteEnd);
  const close = bracketEnd(bytes, open + 1, limit);
  if (close <= open + 1) return malformed('angle bracket without a URI or an end', open);
  return withParams(new ParsedNameAddr(source, nameStart, nameEnd, open + 1, close, close + 1), limit);
}

/** Offset of the `<` behind a display name, or -1 when the value is an addr-spec without one. */
function displayNameEnd(bytes: Uint8Array, from: number, limit: number): number {
  for (let i = from; i < limit; i++) {
    const code = bytes[i]!;
    if (code > 0x3e) continue;
    if (code === 0x3c) return i;
    if (code === 0x22 || code === 0x2c || code === 0x3b || code === 0x3e) return -1;
  }
  return -1;
}

/** Offset of the `>` that ends a URI, or -1: white space and `<` cannot stand in one. */
function bracketEnd(bytes: Uint8Array, from: number, limit: number): number {
  for (let i = from; i < limit; i++) {
    const code = bytes[i]!;
    if (code > 0x3e) continue;
    if (code === 0x3e) return i;
    if (code === 0x3c || isLws(code)) return -1;
  }
  return -1;
}

/** A URI without brackets: what follows `;` are header parameters, and `?` may not stand in it (RFC 3261 20). */
function parseAddrSpec(source: HeadText, start: number, limit: number): Parsed<NameAddr> {
  const { bytes } = source;
  let end = start;
  while (end < limit) {
    const code = bytes[end]!;
    if (code === 0x3b || code === 0x2c || isLws(code)) break;
    if (code === 0x22 || code === 0x3c || code === 0x3e) return malformed('quote or bracket in a URI', end);
    if (code === 0x3f) return malformed('URI with headers outside angle brackets', end);
    end++;
  }
  if (end === start) return malformed('no URI', start);
  return withParams(new ParsedNameAddr(source, start, start, start, end, end), limit);
}

/** Reads over the parameters: they are checked now, and built when first asked for. */
function withParams(address: ParsedNameAddr, limit: number): Parsed<NameAddr> {
  const { source } = address;
  const { bytes } = source;
  const reader = PARAMS.start(address.end);
  while (reader.next(bytes, limit)) {
    if (!reader.is(bytes, NAME.tag)) continue;
    if (address.tag !== null) return malformed('two tags', reader.nameStart);
    address.tag = reader.value(source) ?? '';
  }
  address.end = reader.at;
  return reader.fault === null ? parsed(address) : reader.malformed();
}

/** Parses a comma-separated list of them. */
export function parseNameAddrs(text: string): Parsed<NameAddr[]> {
  const source = headText(text);
  const values: NameAddr[] = [];
  for (let at = 0; ; ) {
    const value = parseNameAddr(source, at);
    if (!value.ok) return value;
    values.push(value.value);
    if (value.value.end >= text.length) return parsed(values);
    at = value.value.end + 1;
  }
}

/** Header parameter (e.g. 'tag'): '' for one without value, null when absent. */
export function headerParam(params: readonly Param[], name: string): string | null {
  return paramValue(params, name);
}
