import {
  errors,
  parseUri,
  printParams,
  printUri,
  type PvResult,
  type SipRequest,
  subscriberParams,
  type Uri,
  uriParam,
} from '../../core/index.ts';
import { readText, writeText } from './texts.ts';

/** Default ports (RFC 3261 19.1.2). */
const SIP_PORT = 5060;
const SIPS_PORT = 5061;

const MAX_PORT = 65_535;

/** A URI text parsed; null for none and for one that is malformed. */
export function uriOf(text: string | null): Uri | null {
  if (text === null) return null;
  const parsed = parseUri(text);
  return parsed.ok ? parsed.value : null;
}

/** User part as it stands, the number of a telephone subscriber; null when there is none. */
export function userOf(uri: Uri | null): string | null {
  if (uri === null || uri.user === null) return null;
  return readText(uri.user.slice(0, uri.user.length - subscriberParams(uri).length));
}

/** A tel URI as a SIP URI that wants a host; any other as it is (RFC 3261 19.1.6). */
function withHost(uri: Uri): Uri {
  if (uri.scheme !== 'tel') return uri;
  // Chars of a tel URI that a user may not hold (RFC 3261 25.1, RFC 3966 3).
  const user = `${uri.user}${printParams(uri.params)}`.replaceAll(
    /[[\]:#]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return { ...uri, scheme: 'sip', user, params: [{ name: 'user', value: 'phone' }] };
}

/** Host, IPv6 with its brackets; null when the URI has none. */
export function domainOf(uri: Uri | null): string | null {
  return uri === null || uri.host === '' ? null : readText(uri.host);
}

/** Port, or the default of the URI's scheme and transport when it names none. */
export function portOf(uri: Uri | null): number | null {
  if (uri === null) return null;
  if (uri.port !== null) return uri.port;
  return uri.scheme === 'sips' || transportOf(uri) === 'tls' ? SIPS_PORT : SIP_PORT;
}

/** Transport parameter in lower case, or the default of the URI's scheme. */
export function transportOf(uri: Uri | null): string | null {
  if (uri === null) return null;
  const named = uriParam(uri, 'transport');
  if (named !== null && named !== '') return named.toLowerCase();
  return uri.scheme === 'sips' ? 'tls' : 'udp';
}

/**
 * Sets the user of the Request-URI, the number of a telephone subscriber; null removes it, and the password with it.
 * @throws ERR_URI_SYNTAX when the text would change more than the user.
 */
export function setUser(request: SipRequest, value: PvResult): void {
  const user = value === null ? null : writeText('$rU', value);
  rewrite(request, '$rU', value, (uri) => ({
    ...uri,
    user: user === null ? null : `${user}${subscriberParams(uri)}`,
    password: user === null ? null : uri.password,
  }));
}

/**
 * Sets the host of the Request-URI; an IPv6 address in its brackets. A tel URI becomes a SIP URI.
 * @throws ERR_URI_SYNTAX when the text would change more than the host.
 */
export function setDomain(request: SipRequest, value: PvResult): void {
  const host = writeText('$rd', value);
  rewrite(request, '$rd', value, (uri) => ({ ...withHost(uri), host }));
}

/**
 * Sets the port of the Request-URI; null removes it.
 * @throws ERR_PV_VALUE when it is no port.
 */
export function setPort(request: SipRequest, value: PvResult): void {
  const port = value === null ? null : Number(value);
  if (port !== null && !(Number.isInteger(port) && port > 0 && port <= MAX_PORT)) {
    throw errors.ERR_PV_VALUE('$rp', `a port from 1 to ${MAX_PORT}`, JSON.stringify(String(value)));
  }
  rewrite(request, '$rp', value, (uri) => ({ ...uri, port }));
}

function rewrite(request: SipRequest, variable: string, value: PvResult, change: (uri: Uri) => Uri): void {
  const old = request.parsedUri;
  if (!old.ok) throw errors.ERR_URI_SYNTAX(variable, JSON.stringify(request.uri), old.reason);
  const wanted = change(old.value);
  const text = printUri(wanted);
  const got = uriOf(text);
  // Read back, so that no text can reach into another part: `$rU = "a@elsewhere"` names another host.
  if (got === null || !sameParts(got, wanted)) {
    throw errors.ERR_URI_SYNTAX(
      variable,
      JSON.stringify(String(value)),
      'it does not fit that part of the URI',
    );
  }
  request.uri = text;
}

function sameParts(a: Uri, b: Uri): boolean {
  return (
    a.user === b.user &&
    a.password === b.password &&
    a.host === b.host &&
    a.port === b.port &&
    a.params.length === b.params.length &&
    a.headers === b.headers
  );
}
