import { CharKind, isKind, skipDigits } from './chars.ts';
import { readPort, skipHost } from './host.ts';
import { NO_PARAMS, type Param, paramValue } from './params.ts';
import { malformed, type Parsed, parsed } from './result.ts';

export type { Param } from './params.ts';
export { uriEquals } from './uri-equality.ts';

/** A SIP, SIPS or tel URI, or one of another scheme of which only the scheme is known (RFC 3261 19.1, 25.1; RFC 3966). */
export interface Uri {
  /** The URI's own text. */
  readonly text: string;
  /** Lower case. */
  readonly scheme: string;
  /** Raw, escapes untouched; null when there is none. The number for tel. */
  readonly user: string | null;
  readonly password: string | null;
  /** As written, IPv6 with its brackets; '' for tel and unknown schemes. */
  readonly host: string;
  /** Null when the URI names none. */
  readonly port: number | null;
  readonly params: readonly Param[];
  /** What stands behind `?`, raw; null when there is none. */
  readonly headers: string | null;
}

const COLON = 0x3a;
const SEMICOLON = 0x3b;
const QUESTION_MARK = 0x3f;

/**
 * Parses a URI by the grammar of RFC 3261 25.1. Wider than it in what is widely sent: `_` in host names, `=` in and nothing as a parameter's
 * value. Of a URI whose scheme is not sip, sips or tel only the scheme and the set of chars is looked at.
 */
export function parseUri(text: string): Parsed<Uri> {
  if (text.startsWith('sip:')) return parseSip(text, 'sip', 4);
  const colon = text.indexOf(':');
  if (colon <= 0 || !isScheme(text, colon)) return malformed('URI without a scheme', 0);
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return parseSip(text, scheme, colon + 1);
  return scheme === 'tel' ? parseTel(text, colon + 1) : parseOther(text, scheme, colon + 1);
}

function isScheme(text: string, end: number): boolean {
  return isKind(text, 0, CharKind.alpha) && skipKind(text, 0, end, CharKind.scheme) === end;
}

/** Offset of the first char in [at, end) that is neither of this kind nor a `%` with two hex digits. */
function skipKind(text: string, at: number, end: number, kind: number): number {
  let i = at;
  while (i < end) {
    if (isKind(text, i, kind)) i++;
    else if (i + 2 < end && isEscape(text, i)) i += 3;
    else break;
  }
  return i;
}

function isEscape(text: string, at: number): boolean {
  return text[at] === '%' && isKind(text, at + 1, CharKind.hex) && isKind(text, at + 2, CharKind.hex);
}

/** Parts of a userinfo, behind whose `@` the host starts. */
interface UserInfo {
  readonly user: string | null;
  readonly password: string | null;
  readonly hostStart: number;
}

function parseSip(text: string, scheme: string, start: number): Parsed<Uri> {
  const info = parseUserInfo(text, start);
  if (!info.ok) return info;
  const { user, password, hostStart } = info.value;
  const hostEnd = skipHost(text, hostStart, text.length);
  if (hostEnd === hostStart) return malformed('URI with a malformed host', hostStart);
  let at = hostEnd;
  let port: number | null = null;
  if (text.charCodeAt(at) === COLON) {
    at = skipDigits(text, hostEnd + 1, text.length);
    port = readPort(text, hostEnd + 1, at);
    if (port < 0) return malformed('URI with a malformed port', hostEnd + 1);
  }
  const params = parseParams(text, at, CharKind.uriParam);
  if (!params.ok) return params;
  at = params.value.end;
  let headers: string | null = null;
  if (text.charCodeAt(at) === QUESTION_MARK) {
    headers = text.slice(at + 1);
    at = skipKind(text, at + 1, text.length, CharKind.uriHeaders);
  }
  if (at < text.length) return malformed('char that cannot stand in a URI', at);
  return parsed({
    text,
    scheme,
    user,
    password,
    host: text.slice(hostStart, hostEnd),
    port,
    params: params.value.params,
    headers,
  });
}

function parseUserInfo(text: string, start: number): Parsed<UserInfo> {
  const at = text.indexOf('@', start);
  if (at < 0) return parsed({ user: null, password: null, hostStart: start });
  const userEnd = skipKind(text, start, at, CharKind.user);
  if (userEnd === start) return malformed('URI with an empty or malformed user', start);
  const user = text.slice(start, userEnd);
  if (userEnd === at) return parsed({ user, password: null, hostStart: at + 1 });
  if (text.charCodeAt(userEnd) !== COLON || skipKind(text, userEnd + 1, at, CharKind.password) < at) {
    return malformed('char that cannot stand in a user', userEnd);
  }
  return parsed({ user, password: text.slice(userEnd + 1, at), hostStart: at + 1 });
}

/** Parses `;name=value` parameters from `at`; `end` is where they stop. */
function parseParams(
  text: string,
  at: number,
  kind: number,
): Parsed<{ readonly params: readonly Param[]; readonly end: number }> {
  if (text.charCodeAt(at) !== SEMICOLON) return parsed({ params: NO_PARAMS, end: at });
  const params: Param[] = [];
  let i = at;
  while (text.charCodeAt(i) === SEMICOLON) {
    const start = i + 1;
    i = skipKind(text, start, text.length, kind);
    const param = text.slice(start, i);
    const equals = param.indexOf('=');
    if (param === '' || equals === 0) return malformed('URI parameter without a name', start);
    if (equals < 0) params.push({ name: param.toLowerCase(), value: null });
    else params.push({ name: param.slice(0, equals).toLowerCase(), value: param.slice(equals + 1) });
  }
  return parsed({ params, end: i });
}

function parseTel(text: string, start: number): Parsed<Uri> {
  let end = start;
  while (isKind(text, end, CharKind.telephone)) end++;
  if (end === start) return malformed('tel URI without a number', start);
  const params = parseParams(text, end, CharKind.uriParam);
  if (!params.ok) return params;
  if (params.value.end < text.length) return malformed('char that cannot stand in a URI', params.value.end);
  const user = text.slice(start, end);
  return parsed({
    text,
    scheme: 'tel',
    user,
    password: null,
    host: '',
    port: null,
    params: params.value.params,
    headers: null,
  });
}

function parseOther(text: string, scheme: string, start: number): Parsed<Uri> {
  if (start === text.length) return malformed('URI with nothing behind its scheme', start);
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) {
      return malformed('char that cannot stand in a URI', i);
    }
  }
  return parsed({
    text,
    scheme,
    user: null,
    password: null,
    host: '',
    port: null,
    params: NO_PARAMS,
    headers: null,
  });
}

/** What stands behind the number of a telephone subscriber in the user, such as `;npdi;rn=+1301`; '' without `user=phone` (RFC 3261 19.1.6). */
export function subscriberParams(uri: Uri): string {
  if (uri.user === null || uri.scheme === 'tel') return '';
  const semicolon = uri.user.indexOf(';');
  if (semicolon < 0 || uriParam(uri, 'user')?.toLowerCase() !== 'phone') return '';
  return uri.user.slice(semicolon);
}

/** Value of a parameter: '' for one without value, null when absent. Name in lower case. */
export function uriParam(uri: Uri, name: string): string | null {
  return paramValue(uri.params, name);
}

/** Text of a sip, sips or tel URI from its parts, which stand as they are: no escapes are added. */
export function printUri(uri: Omit<Uri, 'text'>): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== null) {
    text += uri.user;
    if (uri.password !== null) text += `:${uri.password}`;
    if (uri.scheme !== 'tel') text += '@';
  }
  text += uri.host;
  if (uri.port !== null) text += `:${uri.port}`;
  text += printParams(uri.params);
  return uri.headers === null ? text : `${text}?${uri.headers}`;
}

/** Parameters as they stand behind a URI, each with its semicolon. */
export function printParams(params: readonly Param[]): string {
  let text = '';
  for (const { name, value } of params) text += value === null ? `;${name}` : `;${name}=${value}`;
  return text;
}
