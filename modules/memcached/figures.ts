import type { MetricsService } from '../../core/index.ts';
import type { BreakerState } from './breaker.ts';
import type { Limits } from './limits/limits.ts';
import type { CacheServer } from './server.ts';
import { type CommandStatistics, LATENCY_BOUNDS_S } from './statistics.ts';

const RESULTS = ['hits', 'misses', 'errors', 'timeouts'] as const;
const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'probing'];

/** What the figures are read from; there are no servers before the start. */
interface Counted {
  readonly servers: () => readonly CacheServer[];
  readonly limits: () => Limits | null;
  /** Operations for which the budget of their transaction was not enough. */
  readonly exhausted: () => number;
}

/** Declares what the module counts. */
export function declareFigures(metrics: MetricsService, counted: Counted): void {
  declareOperations(metrics, counted);
  declareServers(metrics, counted);
  declareJournals(metrics, counted);
  declareLimits(metrics, counted);
}

/** Calls `each` with the counters of every operation on every server. */
function forOperations(
  { servers }: Counted,
  each: (labels: { readonly server: string; readonly operation: string }, of: CommandStatistics) => void,
): void {
  for (const server of servers()) {
    const { journal: _, ...operations } = server.statistics;
    for (const [operation, statistics] of Object.entries(operations))
      each({ server: server.name, operation }, statistics);
  }
}

function declareOperations(metrics: MetricsService, counted: Counted): void {
  metrics.counter({
    name: 'kamaiki_memcached_operations_total',
    help: 'Operations by server, command and result: hits, misses, errors (those that failed at once included) and timeouts.',
    labels: ['server', 'operation', 'result'],
    read: (sample) =>
      forOperations(counted, (labels, of) => {
        for (const result of RESULTS) sample({ ...labels, result }, of[result]);
      }),
  });
  metrics.counter({
    name: 'kamaiki_memcached_sent_bytes_total',
    help: 'Size of the commands sent, values included, bytes.',
    labels: ['server', 'operation'],
    read: (sample) => forOperations(counted, (labels, { sentBytes }) => sample(labels, sentBytes)),
  });
  metrics.counter({
    name: 'kamaiki_memcached_value_bytes_total',
    help: 'Size of the values that were read, bytes.',
    labels: ['server', 'operation'],
    read: (sample) => forOperations(counted, (labels, { valueBytes }) => sample(labels, valueBytes)),
  });
  metrics.histogram({
    name: 'kamaiki_memcached_operation_duration_seconds',
    help: 'How long operations took that were sent, in seconds; those without an answer included.',
    labels: ['server', 'operation'],
    bounds: LATENCY_BOUNDS_S,
    read: (sample) => forOperations(counted, (labels, { latency }) => sample(labels, latency)),
  });
}

function declareServers(metrics: MetricsService, { servers }: Counted): void {
  metrics.counter({
    name: 'kamaiki_memcached_received_bytes_total',
    help: 'All that the server has sent, bytes.',
    labels: ['server'],
    read(sample) {
      for (const server of servers()) sample({ server: server.name }, server.receivedBytes);
    },
  });
  metrics.gauge({
    name: 'kamaiki_memcached_pending_operations',
    help: 'Operations that wait for their answer.',
    labels: ['server'],
    read(sample) {
      for (const server of servers()) sample({ server: server.name }, server.pending);
    },
  });
  metrics.gauge({
    name: 'kamaiki_memcached_breaker_state',
    help: 'State of the breaker: 1 for the present one, 0 for the others. Not closed: operations fail at once.',
    labels: ['server', 'state'],
    read(sample) {
      for (const server of servers())
        for (const state of BREAKER_STATES)
          sample({ server: server.name, state }, Number(state === server.breakerState));
    },
  });
  metrics.counter({
    name: 'kamaiki_memcached_outages_total',
    help: 'How often the breaker has opened.',
    labels: ['server'],
    read(sample) {
      for (const server of servers()) sample({ server: server.name }, server.outages);
    },
  });
}

function declareJournals(metrics: MetricsService, { servers }: Counted): void {
  metrics.gauge({
    name: 'kamaiki_memcached_journal_entries',
    help: 'Releases that wait for the server to answer again; bounded by the parameter journal.',
    labels: ['server'],
    read(sample) {
      for (const server of servers()) sample({ server: server.name }, server.statistics.journal.waiting);
    },
  });
  metrics.counter({
    name: 'kamaiki_memcached_journal_total',
    help: 'Releases that were replayed, that overflowed (lost) or that are in doubt (sent and not answered).',
    labels: ['server', 'result'],
    read(sample) {
      for (const each of servers()) {
        const { replayed, overflowed, inDoubt } = each.statistics.journal;
        const server = each.name;
        sample({ server, result: 'replayed' }, replayed);
        sample({ server, result: 'overflowed' }, overflowed);
        sample({ server, result: 'in_doubt' }, inDoubt);
      }
    },
  });
}

function declareLimits(metrics: MetricsService, { limits, exhausted }: Counted): void {
  metrics.counter({
    name: 'kamaiki_memcached_budget_exhausted_total',
    help: 'Operations for which the budget of their transaction was not enough.',
    read: exhausted,
  });
  metrics.gauge({
    name: 'kamaiki_memcached_leases_held',
    help: 'Places in limits that calls of this proxy hold.',
    read: () => limits()?.held ?? 0,
  });
  metrics.counter({
    name: 'kamaiki_memcached_limit_decisions_total',
    help: 'What limits came to, by function: allowed, exceeded, or down (nobody could tell, and the policy is closed).',
    labels: ['function', 'decision'],
    read(sample) {
      for (const [name, decisions] of Object.entries(limits()?.counters ?? {}))
        for (const [decision, count] of Object.entries(decisions))
          sample({ function: name, decision }, count);
    },
  });
}
