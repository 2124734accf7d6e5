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

/** What is offered in overload, and after it, in terms of what the proxy can carry. */
const OVERLOAD = 2;
const AFTERWARDS = 0.5;
/** How long the load after the overload lasts, s. */
const RECOVERY_S = 10;

/** What a proxy made of all that it can carry, of twice as much, and then of half as much. */
interface Round {
  readonly before: SippStatistics;
  readonly overload: SippStatistics;
  readonly afterwards: SippStatistics;
  readonly peakMb: number;
}

/** Offers what can be carried, and, without a pause between them, too much and then little. */
async function round(bench: Arrangement, carried: number, seconds: number): Promise<Round> {
  const before = await bench.call({ rate: carried, calls: carried * seconds, acceptsRefusal: true });
  const offered = Math.round(carried * OVERLOAD);
  const tooMany = await bench.begin({ rate: offered, calls: offered * seconds, acceptsRefusal: true });
  // Calls that get no answer go on for half a minute; the time of the overload is over all the same.
  await Promise.race([tooMany.result, delay(seconds * 1000)]);
  const rate = Math.max(1, Math.floor(carried * AFTERWARDS));
  const few = await bench.begin({ rate, calls: rate * RECOVERY_S });
  const afterwards = await few.result;
  const { peakKb } = bench.usage();
  return { before, overload: await tooMany.stop(), afterwards, peakMb: peakKb / 1024 };
}

/**
 * Finds the highest rate that each proxy can carry and then, round by round, offers it, twice as much and half of it. The goodput of an overload counts
 * beside that of the same round without: machines are not as fast at one time as at another.
 */
export async function overload(options: BenchOptions): Promise<void> {
  const { seconds, rounds, callers, children, cpus, delayMs, warmUp, low, high } = options;
  for (const proxy of options.proxies.filter((name) => missingContender(name) === null)) {
    for (const cached of options.cached) {
      print(`${proxy} ${cached ? 'with' : 'without'} memcached`);
      await withArrangement({ proxy, cached, delayMs, callers, children, cpus }, async (bench) => {
        await bench.warmUp(warmUp);
        const carried = options.rate ?? (await findPeak(bench, { low, high })).carried;
        if (carried === 0) return print(`not even ${low} calls/s can be carried`);
        const done: Round[] = [];
        for (let i = 0; i < rounds; i += 1) done.push(await round(bench, carried, seconds));
        print(
          `\n${carried} calls/s for ${seconds} s, twice as much for ${seconds} s, half of it for ${RECOVERY_S} s`,
        );
        print(`${callers} SIPp calling; the proxy may use ${cpus === null ? 'all CPUs' : `${cpus} CPUs`}\n`);
        print(resultOf(done, seconds));
      });
    }
  }
}

const HEAD = [
  'round',
  'goodput',
  'started in overload',
  'goodput',
  'of that before',
  '503 + Retry-After',
  'of the excess',
  'failed',
  'retr.',
  'peak RSS, MB',
  'failures end after',
  'retr. end after',
];

function resultOf(rounds: readonly Round[], seconds: number): string {
  const goodputs = rounds.map(({ before, overload: over }) => ({
    peak: goodputOf(before, seconds),
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
  { before, overload: over, afterwards, peakMb }: Round,
  { name, seconds }: { readonly name: string; readonly seconds: number },
): string[] {
  const peak = goodputOf(before, seconds);
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
