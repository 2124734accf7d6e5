import { setTimeout as delay } from 'node:timers/promises';
import { type Arrangement, withArrangement } from './arrangement.ts';
import { missingContender } from './contender.ts';
import type { BenchOptions } from './options.ts';
import { findPeak } from './peak.ts';
import {
  goodputOf,
  type Interval,
  offeredOf,
  secondsUntilWell,
  type SippStatistics,
} from './sipp-statistics.ts';
import { print, shown, table } from './table.ts';

/** What is offered in overload, and after it, in terms of the peak. */
const OVERLOAD = 2;
const AFTERWARDS = 0.5;
/** How long the load after the overload lasts, s. */
const RECOVERY_S = 15;

interface Outcome {
  readonly overload: SippStatistics;
  readonly afterwards: SippStatistics;
  readonly peakMb: number;
}

/** Offers too much, and then, without a pause, little. */
async function overloadOnce(
  bench: Arrangement,
  offered: number,
  peak: number,
  seconds: number,
): Promise<Outcome> {
  const tooMany = await bench.begin({ rate: offered, calls: offered * seconds, acceptsRefusal: true });
  // Calls that get no answer go on for half a minute; the time of the overload is over all the same.
  await Promise.race([tooMany.result, delay(seconds * 1000)]);
  const rate = Math.max(1, Math.floor(peak * AFTERWARDS));
  const few = await bench.begin({ rate, calls: rate * RECOVERY_S });
  const afterwards = await few.result;
  const { peakKb } = bench.usage();
  return { overload: await tooMany.stop(), afterwards, peakMb: peakKb / 1024 };
}

const failed = (interval: Interval): boolean => interval.failed > 0;
const failedOrRepeated = (interval: Interval): boolean => interval.failed + interval.retransmissions > 0;

/** Finds the peak, offers twice as much for some seconds, then half of the peak, and prints how each proxy fares. */
export async function overload(options: BenchOptions): Promise<void> {
  const { seconds, callers, children, delayMs, warmUp, low, high } = options;
  const rows: string[][] = [];
  for (const proxy of options.proxies.filter((name) => missingContender(name) === null)) {
    for (const cached of options.cached) {
      const name = `${proxy} ${cached ? 'with' : 'without'} memcached`;
      print(name);
      await withArrangement({ proxy, cached, delayMs, callers, children }, async (bench) => {
        await bench.warmUp(warmUp);
        const peak = options.rate ?? (await findPeak(bench, { low, high })).goodput;
        const offered = Math.round(peak * OVERLOAD);
        const outcome = await overloadOnce(bench, offered, peak, seconds);
        rows.push(rowOf({ name, peak, seconds }, outcome));
      });
    }
  }
  print(`\nTwice the peak for ${seconds} s, then half of it for ${RECOVERY_S} s; ${callers} SIPp calling\n`);
  print(table(HEAD, rows));
}

const HEAD = [
  '',
  'peak, calls/s',
  'started, calls/s',
  'goodput',
  'of peak',
  '503 + Retry-After',
  'of the excess',
  'failed',
  'retr.',
  'peak RSS, MB',
  'failures end after',
  'retr. end after',
];

function rowOf(
  { name, peak, seconds }: { readonly name: string; readonly peak: number; readonly seconds: number },
  { overload: over, afterwards, peakMb }: Outcome,
): string[] {
  const goodput = goodputOf(over, seconds);
  const excess = over.started - (over.successful - over.refused);
  return [
    name,
    shown(peak),
    shown(offeredOf(over, seconds)),
    shown(goodput),
    `${shown((goodput / peak) * 100, 1)} %`,
    String(over.refused),
    `${shown(excess === 0 ? 100 : (over.refused / excess) * 100, 1)} %`,
    String(over.failed),
    String(over.retransmissions),
    shown(peakMb),
    `${shown(secondsUntilWell(afterwards, failed), 1)} s`,
    `${shown(secondsUntilWell(afterwards, failedOrRepeated), 1)} s`,
  ];
}
