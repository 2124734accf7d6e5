import { Header, type HeaderId, type SipRequest } from '../../core/index.ts';
import { badRequest, type Fault } from './faults.ts';

/** What Digest credentials must hold (RFC 3261 25.1, RFC 7616 3.4). */
const DIGEST_PARAMS = ['username', 'realm', 'nonce', 'uri', 'response'] as const;

/** One `name=value` of credentials and what stands in front of it; the value is a token or a quoted string. */
const AUTH_PARAM = /\s*([\w\-.!%*+`'~]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]+)\s*(,|$)/y;

/** The scheme of credentials, in lower case, and their parameters; null when they cannot be read. */
interface Credentials {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

/** Reads credentials by RFC 3261 25.1. */
function credentialsOf(value: string): Credentials | null {
  const scheme = /^([\w\-.!%*+`'~]+)\s+/.exec(value);
  if (scheme?.[1] === undefined) return null;
  const params = new Map<string, string>();
  let at = scheme[0].length;
  for (let more = true; more; ) {
    AUTH_PARAM.lastIndex = at;
    const [all, name, written, separator] = AUTH_PARAM.exec(value) ?? [];
    if (all === undefined || name === undefined || written === undefined) return null;
    params.set(name.toLowerCase(), written.startsWith('"') ? written.slice(1, -1) : written);
    at += all.length;
    more = separator === ',';
  }
  return at === value.length ? { scheme: scheme[1].toLowerCase(), params } : null;
}

/** Whether every Digest in Authorization and Proxy-Authorization has what it must have. */
export function digestFault(request: SipRequest): Fault | null {
  for (const [id, name] of [
    [Header.authorization, 'Authorization'],
    [Header.proxyAuthorization, 'Proxy-Authorization'],
  ] as const) {
    for (const value of valuesOf(request, id)) {
      if (!/^digest\s/i.test(value)) continue;
      const params = credentialsOf(value)?.params;
      if (params === undefined) return badRequest(`malformed ${name}`);
      const missing = DIGEST_PARAMS.find((param) => isMissing(params, param));
      if (missing !== undefined) return badRequest(`${name} without ${missing}`);
    }
  }
  return null;
}

/** Whether Authorization is well formed: a scheme with parameters. Bearer tokens and the like are not looked into. */
export function authorizationFault(request: SipRequest): Fault | null {
  for (const value of valuesOf(request, Header.authorization)) {
    const isDigest = /^digest\b/i.test(value);
    const isWellFormed = isDigest ? credentialsOf(value) !== null : /^[\w\-.!%*+`'~]+\s+\S/.test(value);
    if (!isWellFormed) return badRequest('malformed Authorization');
  }
  return null;
}

/** A client that has not been challenged yet may send an empty nonce and response (3GPP TS 24.229 5.1.1.2). */
function isMissing(params: ReadonlyMap<string, string>, name: (typeof DIGEST_PARAMS)[number]): boolean {
  const value = params.get(name);
  if (value === undefined) return true;
  return value === '' && name !== 'nonce' && name !== 'response';
}

function valuesOf(request: SipRequest, id: HeaderId): string[] {
  const values: string[] = [];
  for (let i = request.find(id); i >= 0; i = request.find(id, i)) values.push(request.value(i));
  return values;
}
