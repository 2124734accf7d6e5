import { isIPv4, isIPv6 } from 'node:net';

/** Where a server listens. */
export type ServerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** One server of the parameter `servers`. */
export interface ServerEntry {
  readonly address: ServerAddress;
  /** Its share of the keys, against that of the others. */
  readonly weight: number;
  /** Whether it is reached over TLS; left out: as the parameter `tls` says. */
  readonly tls?: boolean;
  /** Whom its certificate has to prove it to be; left out: as the parameter `tls_server_name` says. */
  readonly tlsName?: string;
}

/** What `servers` says: an in-process store, or one or more servers. */
export type ServerList =
  | { readonly ok: true; readonly embedded: boolean; readonly servers: readonly ServerEntry[] }
  | { readonly ok: false; readonly reason: string };

/** Port of memcached (memcached -p). */
export const DEFAULT_PORT = 11_211;

/** More servers than this in one list are a mistake; each holds a connection. */
export const MAX_SERVERS = 100;
const MAX_WEIGHT = 1000;

/**
 * Parses the parameter `servers`: `embedded`, or `host[:port]`, `[v6][:port]`, `unix:/path`, comma separated, each with what follows after semicolons:
 * `weight=N`, `tls=on`, `tls=off`, `tls_name=NAME`.
 */
export function parseServers(text: string): ServerList {
  if (text.trim() === 'embedded') return { ok: true, embedded: true, servers: [] };
  const servers: ServerEntry[] = [];
  const names = new Set<string>();
  for (const part of text.split(',')) {
    const entry = parseEntry(part.trim());
    if (typeof entry === 'string') return { ok: false, reason: entry };
    const spelling = oneSpelling(entry.address);
    if (names.has(spelling)) return { ok: false, reason: `${serverName(entry.address)} stands there twice` };
    names.add(spelling);
    servers.push(entry);
  }
  if (servers.length > MAX_SERVERS) return { ok: false, reason: `more than ${MAX_SERVERS} servers` };
  return { ok: true, embedded: false, servers };
}

/** Name of a server in logs, statistics and the ring: `host:port`, `[v6]:port`, `unix:/path`. */
export function serverName(address: ServerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** The same for all spellings of an address: names in any case, IPv6 addresses as the URL standard prints them. */
function oneSpelling(address: ServerAddress): string {
  const name = serverName(address);
  if (address.kind === 'unix') return name;
  return isIPv6(address.host) ? new URL(`tcp://${name}`).host : name.toLowerCase();
}

/** The entry, or what is wrong with it. */
function parseEntry(text: string): ServerEntry | string {
  const [place = '', ...options] = text.split(';').map((piece) => piece.trim());
  if (place === '') return 'a server is missing: expected host:port, [v6]:port, unix:/path or embedded';
  if (place === 'embedded') return "'embedded' stands alone, not in a list";
  // Not repeated: what stands before it may be a password.
  if (text.includes('@') && !place.startsWith('unix:'))
    return 'a server has no @: user and password are parameters of their own';
  const address = parseAddress(place);
  if (typeof address === 'string') return address;
  let entry: ServerEntry = { address, weight: 1 };
  const named = new Set<string>();
  for (const option of options) {
    const given = parseOption(option, address);
    if (typeof given === 'string') return `'${option}' after ${place}: ${given}`;
    const [name = ''] = option.split('=', 1);
    if (named.has(name)) return `${name} stands there twice after ${place}`;
    named.add(name);
    entry = { ...entry, ...given };
  }
  return entry;
}

/** What an option after a server says, or what is wrong with it. */
function parseOption(option: string, { kind }: ServerAddress): Partial<ServerEntry> | string {
  const [, name = '', value = ''] = /^([a-z_]+)=(\S+)$/.exec(option) ?? [];
  switch (name) {
    case 'weight': {
      const weight = /^\d{1,4}$/.test(value) ? Number(value) : 0;
      return weight < 1 || weight > MAX_WEIGHT ? `expected weight=1 to weight=${MAX_WEIGHT}` : { weight };
    }
    case 'tls':
      if (value !== 'on' && value !== 'off') return 'expected tls=on or tls=off';
      // memcached has TLS on its TCP ports alone.
      if (value === 'on' && kind === 'unix') return 'there is no TLS on a Unix socket';
      return { tls: value === 'on' };
    case 'tls_name':
      return { tlsName: value };
    default:
      return 'expected weight=N, tls=on, tls=off or tls_name=NAME';
  }
}

function parseAddress(place: string): ServerAddress | string {
  if (place.startsWith('unix:')) {
    const path = place.slice('unix:'.length);
    return path.startsWith('/')
      ? { kind: 'unix', path }
      : `'${place}': expected an absolute path after unix:`;
  }
  if (!place.includes('[') && place.split(':').length > 2) return `'${place}': ${bracketHint(place)}`;
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+))(?::(.*))?$/.exec(place);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) return `'${place}': ${EXPECTED}`;
  const fault = hostFault(host, place.startsWith('['));
  if (fault !== null) return `'${place}': ${fault}`;
  const digits = parts?.[3];
  if (digits === undefined) return { kind: 'tcp', host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) return `'${place}': expected a port from 1 to 65535, found '${digits}'`;
  return { kind: 'tcp', host, port };
}

const EXPECTED = 'expected host:port, [v6]:port, unix:/path or embedded';

/** What is wrong with several colons: how to write what looks like an IPv6 address without its brackets. */
function bracketHint(place: string): string {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(place) ?? [];
  if (isIPv6(place)) return `an IPv6 address stands in brackets, [${place}]`;
  return isIPv6(host) ? `an IPv6 address stands in brackets, [${host}]:${port}` : EXPECTED;
}

/** What is wrong with a host, or null: an address, or a name of letters of any script, digits, `-`, `_` and dots (RFC 1123 2.1, and what private networks use). */
function hostFault(host: string, isBracketed: boolean): string | null {
  if (isBracketed) return isIPv6(host) ? null : `[${host}] is no IPv6 address`;
  if (/^[\d.]+$/.test(host)) return isIPv4(host) ? null : `${host} is no IPv4 address`;
  return /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.?$/u.test(host) ? null : `${host} is no host name`;
}

/** A list of servers as an error message may show it: without what stands before an @, which may be a password. */
export function withoutCredentials(text: unknown): string {
  // A list of texts reads like a text with commas, and would be shown as just what is expected.
  if (Array.isArray(text)) return 'a list';
  return JSON.stringify(String(text).replace(/[^,\s]*@/g, '***@'));
}
