import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { ROOT } from '../architecture/source-files.ts';
import { Child, type Exit } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { missing } from '../programs/missing.ts';
import { isUdpPortBound } from '../programs/ports.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { kamailioConfiguration } from './kamailio-configuration.ts';

/** The proxies that are measured. */
export const CONTENDERS = ['kamailio', 'kamaiki'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** A Node.js and its options. */
export type NodeCommand = readonly [program: string, ...options: string[]];

/** What runs kamaiki as `npm start` does. */
export const USUAL_NODE: NodeCommand = [process.execPath, '--v8-pool-size=1'];

/** How a proxy is started. */
export interface ContenderOptions {
  readonly calleePort: number;
  /** memcached's `host:port`; null: calls are neither cached nor counted. */
  readonly memcached: string | null;
  /** Worker processes of Kamailio. */
  readonly children: number;
  /** Longest ringing, ms. */
  readonly ringMs: number;
  /** Port of 127.0.0.1 for the figures of kamaiki; null: it shows none. */
  readonly metricsPort: number | null;
  /** What runs kamaiki. */
  readonly node: NodeCommand;
}

/** A proxy that runs. */
export interface Contender {
  readonly pid: number;
  /** UDP port of 127.0.0.1. */
  readonly port: number;
  /** Ends it, by force when it takes too long. */
  stop(): Promise<Exit>;
}

/** How long a proxy may take to end by itself, ms. */
const STOP_PATIENCE_MS = 8_000;
/** What kamaiki waits for calls that ring when it is told to end, ms. */
const SHUTDOWN_MS = 100;
/** Most transactions of kamaiki: room for 100,000 calls that ring beside those that are measured. */
const MAX_TRANSACTIONS = 2_000_000;

const BIN = fileURLToPath(new URL('../../core/main/bin.js', import.meta.url));
const OWN_FOLDER = join(ROOT, 'test/bench');

/** Why a proxy cannot be measured here; null when it can. */
export function missingContender(name: ContenderName): string | null {
  return name === 'kamailio' ? missing('kamailio') : null;
}

/** kamailio.yaml of this folder, with what a run changes. */
function kamaikiConfiguration(port: number, { ringMs, metricsPort }: ContenderOptions): string {
  const base: unknown = parse(readFileSync(join(OWN_FOLDER, 'kamailio.yaml'), 'utf8'));
  if (!isRecord(base) || !isRecord(base['modules'])) throw new Error('kamailio.yaml has no modules');
  const { modules } = base;
  const tm = {
    ...(isRecord(modules['tm']) ? modules['tm'] : {}),
    fr_inv_timer: ringMs,
    max_transactions: MAX_TRANSACTIONS,
  };
  return stringify({
    ...base,
    listen: [`udp:127.0.0.1:${port}`],
    routes: join(OWN_FOLDER, 'routes.ts'),
    limits: { shutdown_timeout: SHUTDOWN_MS },
    ...(metricsPort === null ? {} : { metrics: `127.0.0.1:${metricsPort}` }),
    modules: { ...modules, tm },
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function spawnKamaiki(port: number, options: ContenderOptions): Child {
  const file = join(tempFolder(), 'kamailio.yaml');
  writeFileSync(file, kamaikiConfiguration(port, options));
  const { calleePort, memcached } = options;
  const [program, ...nodeOptions] = options.node;
  const cache = memcached === null ? { CACHE: 'off', MEMCACHED: 'embedded' } : { MEMCACHED: memcached };
  return new Child(program, [...nodeOptions, BIN, '-f', file], {
    env: { CALLEE: `127.0.0.1:${calleePort}`, ...cache },
  });
}

/** In the foreground, logging to standard error, with the fast allocator and 1 GB to share. */
const KAMAILIO_ARGS = '-DD -E -x fm -X fm -m 1024 -M 32 -b 4194304'.split(' ');

function spawnKamailio(port: number, options: ContenderOptions): Child {
  const folder = tempFolder();
  const file = join(folder, 'kamailio.cfg');
  writeFileSync(file, kamailioConfiguration({ port, ...options }));
  return new Child('kamailio', [...KAMAILIO_ARGS, '-Y', folder, '-w', folder, '-f', file]);
}

const SPAWN = { kamaiki: spawnKamaiki, kamailio: spawnKamailio };

/** Starts a proxy on a free port and waits until it has taken it. */
export async function startContender(name: ContenderName, options: ContenderOptions): Promise<Contender> {
  const port = await freePort();
  const child = SPAWN[name](port, options);
  await child.until(`socket on port ${port}`, () => isUdpPortBound(port));
  return { pid: child.pid, port, stop: () => child.stop(STOP_PATIENCE_MS) };
}
