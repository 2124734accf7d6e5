import { setTimeout as delay } from 'node:timers/promises';
import { type Arrangement, type Measured, withArrangement } from './arrangement.ts';
import { presentProxies } from './calls.ts';
import type { ContenderName } from './contender.ts';
import type { BenchOptions } from './options.ts';
import { cpuBetween } from './process-tree.ts';
import { print, shown, table } from './table.ts';
import { runUdpLoad } from './udp-load-run.ts';

/** Calls a second of the measured load while others ring, and of those as they are opened. */
const DEFAULT_RATE = 1_000;
const OPENING_RATE = 2_000;
/** Fewest calls of a measurement: at low rates it takes longer for that. */
const MIN_CALLS = 200;
/** How long a proxy is watched while no call comes, ms. */
const IDLE_MS = 2_000;
/** Longest ringing of calls that shall stay, ms. */
const RING_MS = 3_600_000;

const HEAD = [
  '',
  'calls/s',
  'calls ringing',
  'CPU/call, us',
  'less idle',
  'idle, ms/s',
  'failed',
  'retr.',
  'resident, MB',
];

/** A measurement with its surroundings. */
interface Case {
  readonly proxy: ContenderName;
  readonly cached: boolean;
  readonly rate: number;
  /** Calls that ring all the while. */
  readonly live: number;
}

/** CPU that a proxy uses when no call comes, µs a second. */
async function idleUs(bench: Arrangement): Promise<number> {
  const before = bench.usage();
  await delay(IDLE_MS);
  const { userUs, systemUs } = cpuBetween(before, bench.usage());
  return ((userUs + systemUs) * 1000) / IDLE_MS;
}

function row({ proxy, rate }: Case, seconds: number, found: Found): string[] {
  const { measured, idle, ringing, residentMb } = found;
  const cpu = measured.userUsPerCall + measured.systemUsPerCall;
  return [
    proxy,
    String(rate),
    String(ringing),
    shown(cpu),
    shown(cpu - (idle * seconds) / measured.started),
    shown(idle / 1000, 1),
    String(measured.failed),
    String(measured.retransmissions),
    shown(residentMb),
  ];
}

interface Found {
  readonly measured: Measured;
  /** CPU without calls, µs a second. */
  readonly idle: number;
  readonly ringing: number;
  readonly residentMb: number;
}

async function measureCase(
  { proxy, cached, rate, live }: Case,
  seconds: number,
  options: BenchOptions,
): Promise<Found> {
  const { callers, children, delayMs, node, warmUp } = options;
  const arrangement = { proxy, cached, delayMs, callers, children, node, ringMs: RING_MS, withCallee: false };
  return withArrangement(arrangement, async (bench) => {
    const ends = { target: bench.target, callee: bench.calleePort };
    const opened =
      live === 0
        ? null
        : await runUdpLoad({ ...ends, rate: OPENING_RATE, calls: live, onlyRings: true, warmUp: 0 });
    await bench.startCallee();
    await bench.warmUp(warmUp);
    const idle = await idleUs(bench);
    const measured = await bench.measure({ rate, calls: rate * seconds });
    return { measured, idle, ringing: opened?.ringing ?? 0, residentMb: bench.usage().residentKb / 1024 };
  });
}

/** Measures CPU per call at several rates, and at one rate with ever more calls that ring, and prints both as one table. */
export async function linear(options: BenchOptions): Promise<void> {
  const { rates, live, rate } = options;
  for (const cached of options.cached) {
    const rows: string[][] = [];
    for (const proxy of presentProxies(options)) {
      const cases = [
        ...rates.map((each) => ({ proxy, cached, rate: each, live: 0 })),
        ...live.map((each) => ({ proxy, cached, rate: rate ?? DEFAULT_RATE, live: each })),
      ];
      for (const each of cases) {
        const seconds = Math.max(options.seconds, Math.ceil(MIN_CALLS / each.rate));
        rows.push(row(each, seconds, await measureCase(each, seconds, options)));
        print(rows.at(-1)?.join('  ') ?? '');
      }
    }
    print(
      `\n${cached ? 'With' : 'Without'} memcached operations; "less idle" leaves out what the proxy uses without calls\n`,
    );
    print(table(HEAD, rows));
  }
}
