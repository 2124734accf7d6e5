import { setTimeout as delay } from 'node:timers/promises';
import { type Arrangement, type CallLoad, withArrangement } from './arrangement.ts';
import { missingContender } from './contender.ts';
import type { BenchOptions } from './options.ts';
import { findPeak } from './peak.ts';
import { goodputOf, type Interval, offeredOf, recoveryOf, type SippStatistics } from './sipp-statistics.ts';
import { mean, median } from './statistics.ts';
import { print, shown, table } from './table.ts';

/** What is offered to find the most that goes well, in overload, and after it, in terms of what the proxy can carry. */
const BEYOND = 1.25;
const OVERLOAD = 2;
const AFTERWARDS = 0.5;
/** How long the load after the overload lasts, s. */
const RECOVERY_S = 6;

/** What a proxy made of all that it can carry, of a quarter more, of twice as much, and then of half as much. */
interface Round {
  readonly before: SippStatistics;
  readonly beyond: SippStatistics;
  readonly overload: SippStatistics;
  readonly afterwards: SippStatistics;
  readonly peakMb: number;
}

/** Offers what can be carried, a quarter more, and, without a pause between them, too much and then little. */
async function round(bench: Arrangement, carried: number, seconds: number): Promise<Round> {
  const load = (times: number): CallLoad => {
    const rate = Math.round(carried * times);
    return { rate, calls: rate * seconds, acceptsRefusal: true };
  };
  const before = await bench.call(load(1));
  const beyond = await bench.call(load(BEYOND));
  const tooMany = await bench.begin(load(OVERLOAD));
  // Calls that get no answer go on for half a minute; the time of the overload is over all the same.
  await Promise.race([tooMany.result, delay(seconds * 1000)]);
  const rate = Math.max(1, Math.floor(carried * AFTERWARDS));
  const few = await bench.begin({ rate, calls: rate * RECOVERY_S, acceptsRefusal: true });
  const afterwards = await few.result;
  const { peakKb } = bench.usage();
  return { before, beyond, overload: await tooMany.stop(), afterwards, peakMb: peakKb / 1024 };
}

/**
 * Finds the highest rate that each proxy can carry and then, round by round, offers it, a quarter more, twice as much and half of it. The goodput of an overload
 * counts beside the better of the first two of the same round: machines are not as fast at one time as at another.
 */
export async function overload(options: BenchOptions): Promise<void> {
  const { seconds, rounds, callers, children, cpus, delayMs, node, warmUp, low, high } = options;
  for (const proxy of options.proxies.filter((name) => missingContender(name) === null)) {
    for (const cached of options.cached) {
      print(`${proxy} ${cached ? 'with' : 'without'} memcached`);
      await withArrangement({ proxy, cached, delayMs, callers, children, node, cpus }, async (bench) => {
        await bench.warmUp(warmUp);
        const carried = options.rate ?? (await findPeak(bench, { low, high })).carried;
        if (carried === 0) return print(`not even ${low} calls/s can be carried`);
        const done: Round[] = [];
        for (let i = 0; i < rounds; i += 1) done.push(await round(bench, carried, seconds));
        print(
          `\n${carried} calls/s, ${BEYOND} times as much and twice as much, each for ${seconds} s, half of it for ${RECOVERY_S} s`,
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
  `of ${BEYOND} times as much`,
  'started in overload',
  'goodput',
  'of the best before',
  '503 + Retry-After',
  'of the excess',
  'failed',
  'retr.',
  'peak RSS, MB',
  'well after',
  'not well later',
  'without retr. after',
];

/** Calls a second that went well under each load of a round. */
interface Goodputs {
  readonly carried: number;
  readonly beyond: number;
  readonly overload: number;
  /** That of the overload to the best of the two before. */
  readonly share: number;
}

function goodputsOf({ before, beyond, overload: over }: Round, seconds: number): Goodputs {
  const carried = goodputOf(before, seconds);
  const more = goodputOf(beyond, seconds);
  const most = goodputOf(over, seconds);
  return { carried, beyond: more, overload: most, share: most / Math.max(carried, more) };
}

const LOADS = ['carried', 'beyond', 'overload'] as const;

/** The cells of a last line. */
function sumUp({
  goodputs,
  share,
}: {
  readonly goodputs: readonly number[];
  readonly share: number;
}): string[] {
  const [carried = '', beyond = '', most = ''] = goodputs.map((goodput) => shown(goodput));
  return [carried, beyond, '', most, `${shown(share * 100, 1)} %`];
}

function resultOf(rounds: readonly Round[], seconds: number): string {
  const goodputs = rounds.map((each) => goodputsOf(each, seconds));
  const rows = rounds.map((each, i) => [String(i + 1), ...rowOf(each, goodputs[i]!, seconds)]);
  const each = (of: keyof Goodputs): number[] => goodputs.map((one) => one[of]);
  rows.push([
    'median',
    ...sumUp({ goodputs: LOADS.map((of) => median(each(of))), share: median(each('share')) }),
  ]);
  // The better of two that vary is higher than either is on average: the means are compared as they are.
  const [carried = 0, beyond = 0, most = 0] = LOADS.map((of) => mean(each(of)));
  rows.push([
    'mean',
    ...sumUp({ goodputs: [carried, beyond, most], share: most / Math.max(carried, beyond) }),
  ]);
  return table(HEAD, rows);
}

/** Calls that an overload that is over should not touch. */
const notWell = ({ failed, refused }: Interval): number => failed + refused;
const notWellOrRepeated = (interval: Interval): number => notWell(interval) + interval.retransmissions;

function rowOf({ overload: over, afterwards, peakMb }: Round, goodputs: Goodputs, seconds: number): string[] {
  const { afterS, wrongLater } = recoveryOf(afterwards, notWell);
  const excess = over.started - (over.successful - over.refused);
  return [
    shown(goodputs.carried),
    shown(goodputs.beyond),
    shown(offeredOf(over, seconds)),
    shown(goodputs.overload),
    `${shown(goodputs.share * 100, 1)} %`,
    String(over.refused),
    `${shown(excess === 0 ? 100 : (over.refused / excess) * 100, 1)} %`,
    String(over.failed),
    String(over.retransmissions),
    shown(peakMb),
    `${shown(afterS, 1)} s`,
    String(wrongLater),
    `${shown(recoveryOf(afterwards, notWellOrRepeated).afterS, 1)} s`,
  ];
}
