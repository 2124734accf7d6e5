import { Histogram } from '../../core/index.ts';
import type { CommandName, Reply } from './command.ts';
import type { JournalStatistics } from './journal.ts';

/** Plain counters of one kind of command on one server. */
export interface CommandStatistics {
  /** It found what it asked for, or did what it was to do. */
  hits: number;
  /** Nothing there, or for `add`: something there. */
  misses: number;
  /** No answer, or an error as the answer; those that timed out are not in here. */
  errors: number;
  timeouts: number;
  /** Size of the commands that were sent, values included, bytes. */
  sentBytes: number;
  /** Size of the values that came back, bytes. */
  valueBytes: number;
  /** How long those took that were sent, s, from when their deadline began. */
  readonly latency: Histogram;
}

/** Bounds of the latencies, s: a store nearby answers in less than a millisecond, and `timeout` is 250 ms. */
export const LATENCY_BOUNDS_S: readonly number[] = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
];

/** Counters of one server, by command. */
export type CommandCounters = Readonly<Record<CommandName, CommandStatistics>>;

/** Counters of one server: by command, and those of its journal. */
export interface ServerStatistics extends CommandCounters {
  readonly journal: JournalStatistics;
}

/** Returns counters that stand at 0. */
export function newStatistics(): CommandCounters {
  return {
    get: zero(),
    gets: zero(),
    set: zero(),
    add: zero(),
    cas: zero(),
    incr: zero(),
    decr: zero(),
    touch: zero(),
    delete: zero(),
    version: zero(),
  };
}

function zero(): CommandStatistics {
  return {
    hits: 0,
    misses: 0,
    errors: 0,
    timeouts: 0,
    sentBytes: 0,
    valueBytes: 0,
    latency: new Histogram(LATENCY_BOUNDS_S),
  };
}

/** Counts one reply. */
export function countReply(statistics: CommandStatistics, reply: Reply): void {
  switch (reply.kind) {
    case 'value':
      statistics.hits++;
      statistics.valueBytes += reply.value.bytes.length;
      return;
    case 'number':
      statistics.hits++;
      return;
    case 'word':
      if (
        reply.word === 'END' ||
        reply.word === 'NOT_FOUND' ||
        reply.word === 'NOT_STORED' ||
        reply.word === 'EXISTS'
      ) {
        statistics.misses++;
      } else statistics.hits++;
      return;
    case 'refused':
      statistics.errors++;
      return;
    case 'down':
      if (reply.cause === 'timeout') statistics.timeouts++;
      else statistics.errors++;
      return;
  }
}
