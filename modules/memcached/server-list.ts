/** Where a server listens. */
export type ServerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** One server of the parameter `servers`. */
export interface ServerEntry {
  readonly address: ServerAddress;
  /** Its share of the keys, against that of the others. */
  readonly weight: number;
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

/** Parses the parameter `servers`: `embedded`, or `host[:port]`, `[v6][:port]`, `unix:/path`, each with an optional `;weight=N`, comma separated. */
export function parseServers(text: string): ServerList {
  if (text.trim() === 'embedded') return { ok: true, embedded: true, servers: [] };
  const servers: ServerEntry[] = [];
  const names = new Set<string>();
  for (const part of text.split(',')) {
    const entry = parseEntry(part.trim());
    if (typeof entry === 'string') return { ok: false, reason: entry };
    const name = serverName(entry.address);
    if (names.has(name)) return { ok: false, reason: `${name} stands there twice` };
    names.add(name);
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

/** The entry, or what is wrong with it. */
function parseEntry(text: string): ServerEntry | string {
  const [place = '', ...options] = text.split(';').map((piece) => piece.trim());
  if (place === '') return 'a server is missing: expected host:port, [v6]:port, unix:/path or embedded';
  if (place === 'embedded') return "'embedded' stands alone, not in a list";
  const address = parseAddress(place);
  if (typeof address === 'string') return address;
  let weight = 1;
  for (const option of options) {
    const digits = /^weight=(\d{1,4})$/.exec(option)?.[1];
    weight = Number(digits);
    if (digits === undefined || weight < 1 || weight > MAX_WEIGHT) {
      return `'${option}' after ${place}: expected weight=1 to weight=${MAX_WEIGHT}`;
    }
  }
  return { address, weight };
}

function parseAddress(place: string): ServerAddress | string {
  if (place.startsWith('unix:')) {
    const path = place.slice('unix:'.length);
    return path.startsWith('/')
      ? { kind: 'unix', path }
      : `'${place}': expected an absolute path after unix:`;
  }
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+))(?::(.*))?$/.exec(place);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) {
    return place.split(':').length > 2 && !place.includes('[')
      ? `'${place}': an IPv6 address stands in brackets, [${place}]`
      : `'${place}': expected host:port, [v6]:port, unix:/path or embedded`;
  }
  const digits = parts?.[3];
  if (digits === undefined) return { kind: 'tcp', host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) return `'${place}': expected a port from 1 to 65535, found '${digits}'`;
  return { kind: 'tcp', host, port };
}
