import { isIPv4, isIPv6 } from 'node:net';
import { DEFAULT_PORTS, protocolOf } from '../sip/hop.ts';
import { MAX_PORT } from '../sip/host.ts';
import type { ListenOption } from '../transport/listen-option.ts';

/** What a listen address must be, for error messages. */
export const LISTEN_EXPECTED = 'an address such as "udp:192.0.2.1:5060" or "tls:[2001:db8::1]:5061"';

const HOST_NAME = /^(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/;

/** Reads `protocol:host:port`, with the protocol's own port where none is written; null when it is none. */
export function parseListen(text: string): ListenOption | null {
  const colon = text.indexOf(':');
  const protocol = protocolOf(text.slice(0, colon));
  const hostPort = parseHostPort(text.slice(colon + 1));
  if (protocol === null || hostPort === null) return null;
  return { protocol, host: hostPort.host, port: hostPort.port ?? DEFAULT_PORTS[protocol] };
}

/** What an address that `parseListen` does not take must be, and whether only its protocol is at fault; for error messages. */
export function expectedListen(text: string): string {
  const colon = text.indexOf(':');
  const protocol = text.slice(0, colon);
  const isAddress = colon > 0 && parseHostPort(text.slice(colon + 1)) !== null;
  if (!isAddress || protocolOf(protocol) !== null) return LISTEN_EXPECTED;
  return `${LISTEN_EXPECTED}; unknown protocol ${JSON.stringify(protocol)}`;
}

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; null when it is none of these. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | null } | null {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? null : Number(digits);
  if (host === undefined || (port !== null && port > MAX_PORT)) return null;
  if (v6 !== undefined ? !isIPv6(v6) : !isHost(host)) return null;
  return { host, port };
}

/** A host name or an IPv4 address; digits and dots alone must be an address. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : HOST_NAME.test(text);
}
