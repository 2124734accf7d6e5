import { isIPv4, isIPv6 } from 'node:net';
import type { Protocol } from '../sip/hop.ts';
import type { ListenOption } from '../transport/listen-option.ts';

/** What a listen address must be, for error messages. */
export const LISTEN_EXPECTED = 'an address such as "udp:192.0.2.1:5060" or "udp:[2001:db8::1]:5060"';

/** SIP's port where none is written, for UDP and TCP (RFC 3261 19.1.2). */
const DEFAULT_PORT = 5060;

const PROTOCOLS: readonly Protocol[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

const HOST_NAME = /^(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/;

/** A listen address, or what keeps it from being one: its text, or a protocol that this version cannot listen on. */
export type ListenResult =
  | { readonly kind: 'address'; readonly address: ListenOption }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unsupported'; readonly protocol: Protocol };

/** Reads `protocol:host:port`; without a port it is 5060. */
export function parseListen(text: string): ListenResult {
  const colon = text.indexOf(':');
  const protocol = PROTOCOLS.find((name) => name === text.slice(0, colon).toLowerCase());
  const hostPort = parseHostPort(text.slice(colon + 1));
  if (protocol === undefined || hostPort === null) return { kind: 'malformed' };
  if (protocol !== 'udp') return { kind: 'unsupported', protocol };
  return { kind: 'address', address: { protocol, host: hostPort.host, port: hostPort.port ?? DEFAULT_PORT } };
}

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; null when it is none of these. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | null } | null {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? null : Number(digits);
  if (host === undefined || (port !== null && port > 65_535)) return null;
  if (v6 !== undefined ? !isIPv6(v6) : !isHost(host)) return null;
  return { host, port };
}

/** A host name or an IPv4 address; digits and dots alone must be an address. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : HOST_NAME.test(text);
}
