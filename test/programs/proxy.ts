import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Protocol } from '../../core/index.ts';
import { Child, type Exit } from './child.ts';
import { tempFolder } from './temp-folder.ts';

/** The command as built next to this file. */
const BIN = fileURLToPath(new URL('../../core/main/bin.js', import.meta.url));
const ADDRESS = /\b(udp|tcp|tls|wss|ws):(\[[^\]]+\]|[^\s:",[\]]+):(\d+)/g;

export interface ProxyOptions {
  /** Text of kamailio.yaml. JSON logging is added where it has no `log:`, and `routes: ./routes.ts` where it has no `routes:`. */
  readonly yaml: string;
  /** Text of the routes file, put next to kamailio.yaml as routes.ts. */
  readonly routes?: string;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A line of the proxy's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Proxy {
  /** Folder of its kamailio.yaml and routes.ts. */
  readonly folder: string;
  readonly pid: number;
  /** The addresses of the `ready` line, such as `udp:127.0.0.1:5060`. */
  readonly addresses: readonly string[];
  /** Port of the first UDP address. */
  readonly port: number;
  /** Port of the first address of a protocol; NaN when there is none. */
  portOf(protocol: Protocol): number;
  /** Every log line so far. */
  log(): readonly LogLine[];
  /** The first log line whose message matches; waits until there is one. */
  waitForLog(pattern: RegExp): Promise<LogLine>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL when it takes longer than `patienceMs`. */
  stop(patienceMs?: number): Promise<Exit>;
}

/** What a line of standard error says in JSON; null for other text, such as a warning of Node.js. */
function parseLine(line: string): LogLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('level' in value) || !('message' in value))
    return null;
  return { ...value, level: String(value.level), message: String(value.message) };
}

/** Starts the proxy in a folder of its own without waiting for it: for tests of starts that fail. */
export function spawnProxy({ yaml, routes, args = [], env = {} }: ProxyOptions): {
  readonly child: Child;
  readonly folder: string;
} {
  const folder = tempFolder();
  const additions = [
    /^log:/m.test(yaml) ? '' : 'log: { level: info, format: json }\n',
    routes === undefined || /^routes:/m.test(yaml) ? '' : 'routes: ./routes.ts\n',
  ];
  writeFileSync(join(folder, 'kamailio.yaml'), `${yaml.trimEnd()}\n${additions.join('')}`);
  if (routes !== undefined) writeFileSync(join(folder, 'routes.ts'), routes);
  const child = new Child(process.execPath, ['--enable-source-maps', BIN, ...args], { cwd: folder, env });
  return { child, folder };
}

/** Starts the proxy and waits for its `ready` line. @throws with its last lines when it ends before. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { child, folder } = spawnProxy(options);
  const find = (pattern: RegExp): LogLine | null => {
    for (const text of child.err) {
      const line = parseLine(text);
      if (line !== null && pattern.test(line.message)) return line;
    }
    return null;
  };
  const ready = await child.until("log line 'ready'", () => find(/\bready\b/));
  const addresses = [...JSON.stringify(ready).matchAll(ADDRESS)].map(([address]) => address);
  const portOf = (protocol: Protocol): number => {
    const address = addresses.find((text) => text.startsWith(`${protocol}:`));
    return Number(address?.slice(address.lastIndexOf(':') + 1));
  };
  return {
    folder,
    pid: child.pid,
    addresses,
    port: portOf('udp'),
    portOf,
    log: () => child.err.map(parseLine).filter((line) => line !== null),
    waitForLog: (pattern) => child.until(`log line ${pattern}`, () => find(pattern)),
    signal: (signal) => child.signal(signal),
    exited: child.exited,
    stop: (patienceMs) => child.stop(patienceMs),
  };
}
