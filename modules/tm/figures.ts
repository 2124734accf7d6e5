import type { MetricsService } from '../../core/index.ts';
import type { Tm } from './tm-layer.ts';

/** First digits that a status can have; final ones begin with 2 to 6. */
const CLASSES = 10;

/** What tm counted since the start. */
export interface TmCounters {
  /** Transactions made for INVITEs, and for other requests. */
  invites: number;
  others: number;
  /** Final replies sent, by the first digit of their status. */
  readonly finals: number[];
  /** Final replies that come from this proxy itself. */
  local: number;
  /** Requests and replies that were sent again. */
  requestsResent: number;
  repliesResent: number;
  /** Retransmissions of requests that went no further. */
  absorbed: number;
  /** Branches that took longer than fr_timer or fr_inv_timer. */
  timeouts: number;
  /** Requests that their callers cancelled. */
  canceled: number;
  /** Final replies to INVITE without an ACK. */
  unacknowledged: number;
}

/** Returns counters that stand at 0. */
export function newTmCounters(): TmCounters {
  return {
    invites: 0,
    others: 0,
    finals: Array.from({ length: CLASSES }, () => 0),
    local: 0,
    requestsResent: 0,
    repliesResent: 0,
    absorbed: 0,
    timeouts: 0,
    canceled: 0,
    unacknowledged: 0,
  };
}

/** Declares what tm counts. */
export function declareFigures(metrics: MetricsService, tm: Tm): void {
  const { counters } = tm;
  metrics.gauge({
    name: 'kamaiki_tm_transactions',
    help: 'Transactions in memory: server (requests received), client (branches sent on) and cancel (CANCELs sent).',
    labels: ['kind'],
    read(sample) {
      for (const [kind, count] of Object.entries(tm.sizes)) sample({ kind }, count);
    },
  });
  metrics.gauge({
    name: 'kamaiki_tm_unanswered',
    help: 'Requests that have no final reply yet.',
    read: () => tm.active,
  });
  metrics.counter({
    name: 'kamaiki_tm_transactions_total',
    help: 'Transactions made for requests received, for INVITE and for other methods.',
    labels: ['kind'],
    read(sample) {
      sample({ kind: 'invite' }, counters.invites);
      sample({ kind: 'other' }, counters.others);
    },
  });
  metrics.counter({
    name: 'kamaiki_tm_final_replies_total',
    help: 'Requests that got their final reply, by class of the reply.',
    labels: ['class'],
    read(sample) {
      for (let digit = 2; digit <= 6; digit += 1)
        sample({ class: `${digit}xx` }, counters.finals[digit] ?? 0);
    },
  });
  metrics.counter({
    name: 'kamaiki_tm_local_replies_total',
    help: 'Final replies that come from this proxy itself and not from a callee.',
    read: () => counters.local,
  });
  metrics.counter({
    name: 'kamaiki_tm_retransmissions_sent_total',
    help: 'Requests and replies that were sent again.',
    labels: ['kind'],
    read(sample) {
      sample({ kind: 'request' }, counters.requestsResent);
      sample({ kind: 'reply' }, counters.repliesResent);
    },
  });
  metrics.counter({
    name: 'kamaiki_tm_retransmissions_absorbed_total',
    help: 'Retransmissions of requests that went no further.',
    read: () => counters.absorbed,
  });
  metrics.counter({
    name: 'kamaiki_tm_timeouts_total',
    help: 'Branches whose callee took longer than fr_timer or fr_inv_timer allow.',
    read: () => counters.timeouts,
  });
  metrics.counter({
    name: 'kamaiki_tm_canceled_total',
    help: 'Requests that their callers cancelled before the final reply.',
    read: () => counters.canceled,
  });
  metrics.counter({
    name: 'kamaiki_tm_unacknowledged_total',
    help: 'Final replies to INVITE for which no ACK came.',
    read: () => counters.unacknowledged,
  });
}
