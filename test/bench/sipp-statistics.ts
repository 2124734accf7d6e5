/** What became of calls of SIPp. */
interface Counts {
  readonly started: number;
  /** Calls that went through their scenario to the end, refused ones among them. */
  readonly successful: number;
  /** Calls that ended with the 503 that their scenario expects. */
  readonly refused: number;
  readonly failed: number;
  readonly retransmissions: number;
}

/** Calls between two lines of SIPp's statistics, about a second apart. */
export interface Interval extends Counts {
  /** When it ended, s after the start of the run. */
  readonly endS: number;
}

/** What SIPp counted in a run. */
export interface SippStatistics extends Counts {
  /** Mean time from INVITE to its 200, ms. */
  readonly answerMs: number;
  /** The same, second by second. */
  readonly intervals: readonly Interval[];
}

/** Milliseconds of a duration as SIPp writes it, `hours:minutes:seconds:microseconds`. */
export function durationMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0, us = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + us / 1000;
}

/** Seconds of a point in time as SIPp writes it, `date<tab>time<tab>seconds since 1970`. */
function instantS(text: string): number {
  return Number(text.split('\t')[2]);
}

/** Reads a statistics file of SIPp (-trace_stat), whose first line names the columns. @throws when it holds no figures. */
export function parseStatistics(text: string): SippStatistics {
  const [names = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const last = rows.at(-1);
  if (last === undefined) throw new Error('SIPp wrote no statistics');
  const field = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? '';
  const counts = (row: readonly string[], kind: 'P' | 'C'): Counts => ({
    started: Number(field(row, `OutgoingCall(${kind})`)),
    successful: Number(field(row, `SuccessfulCall(${kind})`)),
    refused: Number(field(row, `refused(${kind})`)),
    failed: Number(field(row, `FailedCall(${kind})`)),
    retransmissions: Number(field(row, `Retransmissions(${kind})`)),
  });
  const startS = instantS(field(last, 'StartTime'));
  return {
    ...counts(last, 'C'),
    answerMs: durationMs(field(last, 'ResponseTimeanswer(C)')),
    // The first line is written at the start, before any call.
    intervals: rows
      .slice(1)
      .map((row) => ({ ...counts(row, 'P'), endS: instantS(field(row, 'CurrentTime')) - startS })),
  };
}

const NOTHING: Counts = { started: 0, successful: 0, refused: 0, failed: 0, retransmissions: 0 };

function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (a, b) => ({
      started: a.started + b.started,
      successful: a.successful + b.successful,
      refused: a.refused + b.refused,
      failed: a.failed + b.failed,
      retransmissions: a.retransmissions + b.retransmissions,
    }),
    NOTHING,
  );
}

/** The statistics of several SIPps that ran at one time, as of one. */
export function together(all: readonly SippStatistics[]): SippStatistics {
  const length = Math.max(0, ...all.map(({ intervals }) => intervals.length));
  const answered = (one: SippStatistics): number => one.successful - one.refused;
  const weight = all.reduce((calls, one) => calls + answered(one), 0);
  return {
    ...sum(all),
    answerMs: all.reduce((ms, one) => ms + one.answerMs * answered(one), 0) / weight,
    intervals: Array.from({ length }, (_, i) => {
      const parts = all.flatMap(({ intervals }) => intervals[i] ?? []);
      return { ...sum(parts), endS: Math.max(...parts.map(({ endS }) => endS)) };
    }),
  };
}

/** How much later than on the second SIPp may write a line, s. */
const LATE_S = 0.1;

/** The intervals in which calls are started and others end: from the second one to the end of `seconds`, without the last calls, which end when no other begins. */
function steady(
  { intervals }: SippStatistics,
  seconds: number,
): { readonly counts: Counts; readonly lengthS: number } {
  const [first, ...others] = intervals.filter(({ endS }, i) => i === 0 || endS < seconds + LATE_S);
  return { counts: sum(others), lengthS: (others.at(-1)?.endS ?? Number.NaN) - (first?.endS ?? 0) };
}

/** Calls a second that went well, refused ones left out, while calls were started for so many seconds. */
export function goodputOf(statistics: SippStatistics, seconds: number): number {
  const { counts, lengthS } = steady(statistics, seconds);
  return (counts.successful - counts.refused) / lengthS;
}

/** Calls a second that SIPp really started while it should have done so for so many seconds. */
export function offeredOf(statistics: SippStatistics, seconds: number): number {
  const { counts, lengthS } = steady(statistics, seconds);
  return counts.started / lengthS;
}

/** Intervals without anything wrong, one after the other, that it takes to be well. */
const WELL_INTERVALS = 2;

/** Seconds until nothing is wrong for two intervals, or to the end; and what goes wrong after that, of another cause. */
export function recoveryOf(
  { intervals }: SippStatistics,
  wrongOf: (interval: Interval) => number,
): { readonly afterS: number; readonly wrongLater: number } {
  const wrong = intervals.map(wrongOf);
  const isWell = (_: number, i: number): boolean =>
    wrong.slice(i, i + WELL_INTERVALS).every((count) => count === 0);
  const found = wrong.findIndex(isWell);
  const first = found === -1 ? wrong.length : found;
  return {
    afterS: intervals[first - 1]?.endS ?? 0,
    wrongLater: wrong.slice(first).reduce((a, b) => a + b, 0),
  };
}
