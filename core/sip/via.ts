import { CharKind } from './chars.ts';
import { type HeadText, skipKind, skipLws, skipToken } from './head-text.ts';
import { bareHost, readPort, skipHost } from './host.ts';
import { type Param, ParamReader } from './params.ts';
import { malformed, type Parsed, parsed } from './result.ts';

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
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  branch: string | null = null;
  received: string | null = null;
  rport: number | null = null;
  maddr: string | null = null;
  readonly start: number;
  end: number;
  private readonly source: HeadText;
  private readonly paramsStart: number;
  private list: readonly Param[] | null = null;
  constructor(sentBy: SentBy, source: HeadText, start: number) {
    this.transport = sentBy.transport;
    this.host = sentBy.host;
    this.port = sentBy.port;
    this.start = start;
    this.end = sentBy.end;
    this.source = source;
    this.paramsStart = sentBy.end;
  }
  get params(): readonly Param[] {
    this.list ??= new ParamReader(this.source, this.paramsStart, this.end).readAll();
    return this.list;
  }
}

interface SentBy {
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  /** Offset behind the host or port. */
  readonly end: number;
}

/** Parses one Via value from `start` up to a comma outside quotes or `limit`. */
export function parseVia(source: HeadText, start: number, limit: number): Parsed<Via> {
  const valueStart = skipLws(source.bytes, start, limit);
  const sentBy = parseSentBy(source, valueStart, limit);
  if (!sentBy.ok) return sentBy;
  const via = new ParsedVia(sentBy.value, source, valueStart);
  const reader = new ParamReader(source, via.end, limit);
  while (reader.next()) {
    via.end = reader.at;
    const fault = takeParam(via, reader);
    if (fault !== null) return malformed(fault, reader.nameStart);
  }
  return reader.fault === null ? parsed(via) : reader.malformed();
}

function parseSentBy({ head, bytes }: HeadText, start: number, limit: number): Parsed<SentBy> {
  const transportStart = head.startsWith(USUAL_PROTOCOL, start)
    ? start + USUAL_PROTOCOL.length
    : skipSlash(bytes, skipSlash(bytes, start, limit), limit);
  if (transportStart < 0) return malformed('Via without protocol name, version and transport', start);
  const transportEnd = skipToken(bytes, transportStart, limit);
  const hostStart = skipLws(bytes, transportEnd, limit);
  if (transportEnd === transportStart || hostStart === transportEnd) {
    return malformed('Via without a transport, white space and sent-by', transportEnd);
  }
  const hostEnd =
    bytes[hostStart] === 0x5b
      ? skipHost(head, hostStart, limit)
      : skipKind(bytes, hostStart, limit, CharKind.host);
  if (hostEnd === hostStart) return malformed('Via with a malformed sent-by host', hostStart);
  const transport = transportName(head, transportStart, transportEnd);
  const host = head.slice(hostStart, hostEnd);
  const colon = skipLws(bytes, hostEnd, limit);
  if (colon === limit || bytes[colon] !== 0x3a) {
    return parsed({ transport, host, port: null, end: hostEnd });
  }
  const portStart = skipLws(bytes, colon + 1, limit);
  const end = skipKind(bytes, portStart, limit, CharKind.digit);
  const port = readPort(head, portStart, end);
  if (port < 0) return malformed('Via with a malformed port', portStart);
  return parsed({ transport, host, port, end });
}

const USUAL_PROTOCOL = 'SIP/2.0/';

/** Offset behind a token, a slash and the white space around it, or -1. */
function skipSlash(bytes: Uint8Array, at: number, limit: number): number {
  if (at < 0) return -1;
  const tokenEnd = skipToken(bytes, at, limit);
  const slash = skipLws(bytes, tokenEnd, limit);
  if (tokenEnd === at || slash >= limit || bytes[slash] !== 0x2f) return -1;
  return skipLws(bytes, slash + 1, limit);
}

function transportName(head: string, start: number, end: number): string {
  if (end - start === 3 && head.startsWith('UDP', start)) return 'UDP';
  return head.slice(start, end).toUpperCase();
}

const SECOND = 'Via with a parameter that stands twice';

/**
 * Takes what a parameter says about the way back; returns what is wrong with it, or null. One that routes replies may stand only once
 * (RFC 3261 7.3.1), or hops would differ in which they take.
 */
function takeParam(via: ParsedVia, reader: ParamReader): string | null {
  if (reader.is('branch')) {
    if (via.branch !== null) return SECOND;
    via.branch = reader.value ?? '';
  } else if (reader.is('received')) {
    if (via.received !== null) return SECOND;
    via.received = bareHost(reader.value ?? '');
  } else if (reader.is('maddr')) {
    if (via.maddr !== null) return SECOND;
    via.maddr = reader.value ?? '';
  } else if (reader.is('rport')) {
    if (via.rport !== null) return SECOND;
    const value = reader.value ?? '';
    via.rport = value === '' ? 0 : readPort(value, 0, value.length);
    if (via.rport < 0) return 'Via with a malformed rport';
  }
  return null;
}
