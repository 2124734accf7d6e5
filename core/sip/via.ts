import { CharKind } from './chars.ts';
import {
  asciiBytes,
  type HeadText,
  readDecimal,
  skipKind,
  skipLws,
  skipToken,
  standsAt,
} from './head-text.ts';
import { bareHost, MAX_PORT, portOf, readPort, skipHost } from './host.ts';
import { NAME, type Param, type ParamReader, PARAMS } from './params.ts';
import { type Malformed, malformed, type Parsed, parsed } from './result.ts';

/** One Via value (RFC 3261 20.42, 25.1; RFC 3581). */
export interface Via {
  /** As written after `SIP/2.0/`, upper case: UDP, TCP, TLS, SCTP, WS ... */
  readonly transport: string;
  /** sent-by host as written, IPv6 in brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly params: readonly Param[];
  readonly branch: string | null;
  readonly received: string | null; // without brackets (RFC 5118 4.5)
  /** null: no rport parameter; 0: present and empty; else its value. */
  readonly rport: number | null;
  readonly maddr: string | null;
  /** Offsets of this value in the message head: [start, end), no surrounding white space or comma. */
  readonly start: number;
  readonly end: number;
}

class ParsedVia implements Via {
  transport = '';
  host = '';
  port: number | null = null;
  branch: string | null = null;
  received: string | null = null;
  rport: number | null = null;
  maddr: string | null = null;
  readonly start: number;
  end: number;
  private readonly source: HeadText;
  private paramsStart: number;
  private list: readonly Param[] | null = null;
  constructor(source: HeadText, start: number) {
    this.start = start;
    this.end = start;
    this.source = source;
    this.paramsStart = start;
  }
  get params(): readonly Param[] {
    this.list ??= PARAMS.start(this.paramsStart).readAll(this.source, this.end);
    return this.list;
  }

  /** Reads all in front of the parameters; returns what is wrong with it, or null. */
  readSentBy(limit: number): Malformed | null {
    const { start } = this;
    const { text, bytes } = this.source;
    const transportStart = standsAt(bytes, start, USUAL_PROTOCOL)
      ? start + USUAL_PROTOCOL.length
      : skipSlash(bytes, skipSlash(bytes, start, limit), limit);
    if (transportStart < 0) return malformed('Via without protocol name, version and transport', start);
    const isUdp = standsAt(bytes, transportStart, UDP);
    const transportEnd = isUdp ? transportStart + UDP.length - 1 : skipToken(bytes, transportStart, limit);
    const hostStart = skipLws(bytes, transportEnd, limit);
    if (transportEnd === transportStart || hostStart === transportEnd)
      return malformed('Via without a transport, white space and sent-by', transportEnd);
    const hostEnd =
      bytes[hostStart] === BRACKET
        ? skipHost(text, hostStart, limit)
        : skipKind(bytes, hostStart, limit, CharKind.host);
    if (hostEnd === hostStart) return malformed('Via with a malformed sent-by host', hostStart);
    this.transport = isUdp ? 'UDP' : text.slice(transportStart, transportEnd).toUpperCase();
    this.host = text.slice(hostStart, hostEnd);
    return this.readPortFrom(hostEnd, limit);
  }

  private readPortFrom(hostEnd: number, limit: number): Malformed | null {
    const { bytes } = this.source;
    const colon = skipLws(bytes, hostEnd, limit);
    const hasPort = colon < limit && bytes[colon] === COLON;
    this.end = hostEnd;
    if (hasPort) {
      const start = skipLws(bytes, colon + 1, limit);
      this.end = skipKind(bytes, start, limit, CharKind.digit);
      this.port = portOf(readDecimal(bytes, start, this.end, MAX_PORT + 1));
      if (this.port < 0) return malformed('Via with a malformed port', start);
    }
    this.paramsStart = this.end;
    return null;
  }
}

const BRACKET = 0x5b;
const COLON = 0x3a;

/** Parses one Via value from `start` up to a comma outside quotes or `limit`. */
export function parseVia(source: HeadText, start: number, limit: number): Parsed<Via> {
  const via = new ParsedVia(source, skipLws(source.bytes, start, limit));
  const sentByFault = via.readSentBy(limit);
  if (sentByFault !== null) return sentByFault;
  const reader = PARAMS.start(via.end);
  while (reader.next(source.bytes, limit)) {
    via.end = reader.at;
    const fault = takeParam(via, reader, source);
    if (fault !== null) return malformed(fault, reader.nameStart);
  }
  return reader.fault === null ? parsed(via) : reader.malformed();
}

const USUAL_PROTOCOL = asciiBytes('SIP/2.0/');

/** Offset behind a token, a slash and the white space around it, or -1. */
function skipSlash(bytes: Uint8Array, at: number, limit: number): number {
  if (at < 0) return -1;
  const tokenEnd = skipToken(bytes, at, limit);
  const slash = skipLws(bytes, tokenEnd, limit);
  if (tokenEnd === at || slash >= limit || bytes[slash] !== 0x2f) return -1;
  return skipLws(bytes, slash + 1, limit);
}

const UDP = asciiBytes('UDP ');

const SECOND = 'Via with a parameter that stands twice';

/**
 * Takes what a parameter says about the way back; returns what is wrong with it, or null. One that routes replies may stand only once
 * (RFC 3261 7.3.1), or hops would differ in which they take.
 */
function takeParam(via: ParsedVia, reader: ParamReader, source: HeadText): string | null {
  const { bytes } = source;
  if (reader.is(bytes, NAME.branch)) {
    if (via.branch !== null) return SECOND;
    via.branch = reader.value(source) ?? '';
  } else if (reader.is(bytes, NAME.received)) {
    if (via.received !== null) return SECOND;
    via.received = bareHost(reader.value(source) ?? '');
  } else if (reader.is(bytes, NAME.maddr)) {
    if (via.maddr !== null) return SECOND;
    via.maddr = reader.value(source) ?? '';
  } else if (reader.is(bytes, NAME.rport)) {
    if (via.rport !== null) return SECOND;
    const value = reader.value(source) ?? '';
    via.rport = value === '' ? 0 : readPort(value, 0, value.length);
    if (via.rport < 0) return 'Via with a malformed rport';
  }
  return null;
}
