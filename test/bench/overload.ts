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
import { median } from './statistics.ts';
import { print, shown, table } from './table.ts';

/** What is offered in overload, and after it, in terms of the peak. */
const OVERLOAD = 2;
const AFTERWARDS = 0.5;
/** How long the load after the overload lasts, s. */
const RECOVERY_S = 10;

/** What a proxy made of the peak, of twice as much, and then of half as much. */
interface Round {
  readonly atPeak: SippStatistics;
  readonly overload: SippStatistics;
  readonly afterwards: SippStatistics;
  readonly peakMb: number;
}

/** Offers the peak, and, without a pause between them, too much and then little. */
async function round(bench: Arrangement, peak: number, seconds: number): Promise<Round> {
  const atPeak = await bench.call({ rate: peak, calls: peak * seconds, acceptsRefusal: true });
  const offered = Math.round(peak * OVERLOAD);
  const tooMany = await bench.begin({ rate: offered, calls: offered * seconds, acceptsRefusal: true });
  // Calls that get no answer go on for half a minute; the time of the overload is over all the same.
  await Promise.race([tooMany.result, delay(seconds * 1000)]);
  const rate = Math.max(1, Math.floor(peak * AFTERWARDS));
  const few = await bench.begin({ rate, calls: rate * RECOVERY_S });
  const afterwards = await few.result;
  const { peakKb } = bench.usage();
  return { atPeak, overload: await tooMany.stop(), afterwards, peakMb: peakKb / 1024 };
}

/**
 * Finds the peak and then, round by round, offers it, twice as much and half of it, and prints how each proxy fares. The goodput of overload counts beside
 * that of the peak in the same round: machines are not as fast at one time as at another.
 */
export async function overload(options: BenchOptions): Promise<void> {
  const { seconds, rounds, callers, children, cpus, delayMs, warmUp, low, high } = options;
  for (const proxy of options.proxies.filter((name) => missingContender(name) === null)) {
    for (const cached of options.cached) {
      print(`${proxy} ${cached ? 'with' : 'without'} memcached`);
      await withArrangement({ proxy, cached, delayMs, callers, children, cpus }, async (bench) => {
        await bench.warmUp(warmUp);
        const peak = options.rate ?? Math.round((await findPeak(bench, { low, high })).goodput);
        const done: Round[] = [];
        for (let i = 0; i < rounds; i += 1) done.push(await round(bench, peak, seconds));
        print(
          `\n${peak} calls/s for ${seconds} s, twice as much for ${seconds} s, half of it for ${RECOVERY_S} s`,
        );
        print(`${callers} SIPp calling; the proxy may use ${cpus === null ? 'all CPUs' : `${cpus} CPUs`}\n`);
        print(resultOf(done, seconds));
      });
    }
  }
}

const HEAD = [
  'round',
  'goodput at the peak',
  'started',
  'goodput',
  'of the peak',
  '503 + Retry-After',
  'of the excess',
  'failed',
  'retr.',
  'peak RSS, MB',
  'failures end after',
  'retr. end after',
];

function resultOf(rounds: readonly Round[], seconds: number): string {
  const goodputs = rounds.map(({ atPeak, overload: over }) => ({
    peak: goodputOf(atPeak, seconds),
    over: goodputOf(over, seconds),
  }));
  const rows = rounds.map((each, i) => rowOf(each, { name: String(i + 1), seconds }));
  const share = median(goodputs.map(({ peak, over }) => over / peak));
  const peak = median(goodputs.map((goodput) => goodput.peak));
  const over = median(goodputs.map((goodput) => goodput.over));
  rows.push(['median', shown(peak), '', shown(over), `${shown(share * 100, 1)} %`]);
  return table(HEAD, rows);
}

const failed = (interval: Interval): boolean => interval.failed > 0;
const failedOrRepeated = (interval: Interval): boolean => interval.failed + interval.retransmissions > 0;

function rowOf(
  { atPeak, overload: over, afterwards, peakMb }: Round,
  { name, seconds }: { readonly name: string; readonly seconds: number },
): string[] {
  const peak = goodputOf(atPeak, seconds);
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
