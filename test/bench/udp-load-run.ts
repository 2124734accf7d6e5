import { fileURLToPath } from 'node:url';
import { Child } from '../programs/child.ts';
import type { UdpLoad } from './udp-load.ts';

const PROCESS = fileURLToPath(new URL('./udp-load-process.js', import.meta.url));
/** How long the process may take to start and to end, ms. */
const TAIL_MS = 20_000;
/**
 * A large young generation: the load's own garbage collection shall be rare, for its pauses look like the proxy's. One helper thread: four, with little to
 * do, take the cores from the proxy when they do it.
 */
const NODE_OPTIONS = ['--max-semi-space-size=64', '--v8-pool-size=1'];

/** What a load process reports: calls that rang and that ended well, and percentiles from INVITE to 180, µs. */
export interface UdpLoadReport {
  readonly ringing: number;
  readonly ended: number;
  readonly medianUs: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

function read(text: string): UdpLoadReport {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error(`no figures: ${text}`);
  const found = new Map<string, unknown>(Object.entries(value));
  // JSON has null for a NaN: no call rang.
  const of = (name: keyof UdpLoadReport): number => Number(found.get(name) ?? Number.NaN);
  return {
    ringing: of('ringing'),
    ended: of('ended'),
    medianUs: of('medianUs'),
    p99Us: of('p99Us'),
    p999Us: of('p999Us'),
    maxUs: of('maxUs'),
  };
}

/** Makes calls in a process of their own, bounded in time. @throws when it does not end as it should. */
export async function runUdpLoad(load: UdpLoad): Promise<UdpLoadReport> {
  const child = new Child(process.execPath, [...NODE_OPTIONS, PROCESS, JSON.stringify(load)]);
  const limitMs = ((load.warmUp + load.calls) / load.rate) * 1000 + TAIL_MS;
  try {
    const text = await child.until(
      'figures of the load',
      () => child.out.find((line) => line.startsWith('{')) ?? null,
      limitMs,
    );
    await child.exited;
    return read(text);
  } finally {
    await child.stop();
  }
}
