/**
 * Time from spawning the proxy to its `ready` line, and its memory then, with kamailio.yaml as shipped but for the address.
 *
 *     node dist/test/bench/start.bench.js [starts]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../architecture/source-files.ts';
import { USUAL_NODE } from './contender.ts';
import { Child } from '../programs/child.ts';
import { median } from './statistics.ts';

/** What the project wants. */
const TARGET_MS = 500;
const TARGET_MB = 90;

const BIN = fileURLToPath(new URL('../../core/main/bin.js', import.meta.url));
const STARTS = Number(process.argv[2] ?? 5);

interface Start {
  readonly ms: number;
  /** Memory in the machine: now, and at most so far, MB. */
  readonly residentMb: number;
  readonly peakMb: number;
}

/** A field of /proc/PID/status, MB. */
function memoryMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

async function start(): Promise<Start> {
  const begun = performance.now();
  const child = new Child(
    USUAL_NODE[0],
    [...USUAL_NODE.slice(1), BIN, '-f', join(ROOT, 'kamailio.yaml'), '-l', 'udp:127.0.0.1:0'],
    {
      cwd: ROOT,
    },
  );
  await child.until('ready line', () => child.err.some((line) => / ready /.test(line)));
  const ms = performance.now() - begun;
  const result = { ms, residentMb: memoryMb(child.pid, 'VmRSS'), peakMb: memoryMb(child.pid, 'VmHWM') };
  await child.stop();
  return result;
}

const starts: Start[] = [];
for (let i = 0; i < STARTS; i += 1) starts.push(await start());

function print(what: string, unit: string, target: string, values: readonly number[]): void {
  const all = values.map((value) => value.toFixed(0)).join(' ');
  process.stdout.write(`${what}: ${median(values).toFixed(0)} ${unit} (${all})${target}\n`);
}

print(
  'spawn to ready, median',
  'ms',
  `, target ${TARGET_MS} ms`,
  starts.map(({ ms }) => ms),
);
print(
  'resident memory',
  'MB',
  `, target ${TARGET_MB} MB`,
  starts.map(({ residentMb }) => residentMb),
);
print(
  'peak of it',
  'MB',
  '',
  starts.map(({ peakMb }) => peakMb),
);
