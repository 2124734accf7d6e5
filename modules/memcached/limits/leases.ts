import type { Clock } from '../../../core/index.ts';
import type { Bounds } from '../patience.ts';
import type { LimitCounters } from './decisions.ts';
import { leaseId, WHOLE_CALL } from './lease-set.ts';
import type { ReleaseStep } from './lease-steps.ts';
import type { LeaseTable } from './lease-table.ts';
import {
  type AcquireOptions,
  checkedCount,
  checkedPolicy,
  checkedSpanMs,
  checkedText,
  type DistinctOptions,
  MAX_LEASES,
  type RenewOptions,
} from './options.ts';
import type {
  AcquireOutcome,
  ActiveOutcome,
  LimitOutcome,
  OnDown,
  ReleaseOutcome,
  RenewOutcome,
} from './outcome.ts';
import { mayExist, reasonOf, type StepReply } from './step-reply.ts';

/** When a release that found nothing is sent once more, ms: proxies put back what the store has lost within about two seconds of its return. */
export const RELEASE_AGAIN_MS = 5000;

/** How many of these may wait; more are not sent again. */
export const MAX_RELEASES_AGAIN = 10_000;

/** What is asked for: a place among `max` for a thing. */
interface Asked {
  readonly key: string;
  readonly id: string;
  /** Which fork of the call asks. */
  readonly fork: string;
  readonly max: number;
  readonly ttlMs: number;
  readonly onDown: OnDown;
}

/** Concurrent calls and distinct things, counted by leases that all proxies share. */
export class Leases {
  readonly #table: LeaseTable;
  readonly #counters: Pick<LimitCounters, 'acquire' | 'distinct'>;
  readonly #clock: Clock;
  /** Releases that wait to be sent once more. */
  #waitingAgain = 0;

  constructor(table: LeaseTable, counters: Pick<LimitCounters, 'acquire' | 'distinct'>, clock: Clock) {
    this.#table = table;
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Takes one of `max` places for a call, or gives the one that it has more time. */
  async acquire(
    limitKey: string,
    options: AcquireOptions,
    bounds: Bounds,
    fork: string = WHOLE_CALL,
  ): Promise<AcquireOutcome> {
    const outcome = await this.#take(
      {
        key: leaseKey(limitKey, 'acquire: limitKey'),
        id: leaseId(checkedText(options.id, 'acquire: id')),
        fork,
        max: checkedCount(options.max, 'acquire: max', MAX_LEASES),
        ttlMs: checkedSpanMs(options.ttl, 'acquire: ttl'),
        onDown: checkedPolicy(options.onDown, 'acquire: onDown'),
      },
      bounds,
    );
    this.#counters.acquire[outcome.status] += 1;
    if (outcome.status === 'down') return outcome;
    const { status, count: active, ...rest } = outcome;
    return status === 'allowed'
      ? { status: 'acquired', active, ...rest }
      : { status: 'full', active, ...rest };
  }

  /** Counts a thing once within `per`, unless `max` others are counted already. */
  async distinct(
    key: string,
    item: string | null,
    options: DistinctOptions,
    bounds: Bounds,
  ): Promise<LimitOutcome> {
    const outcome = await this.#take(
      {
        key: `distinct:${checkedText(key, 'distinct: key')}`,
        id: leaseId(checkedText(item, 'distinct: item')),
        fork: WHOLE_CALL,
        max: checkedCount(options.max, 'distinct: max', MAX_LEASES),
        ttlMs: checkedSpanMs(options.per, 'distinct: per'),
        onDown: checkedPolicy(options.onDown, 'distinct: onDown'),
      },
      bounds,
    );
    this.#counters.distinct[outcome.status] += 1;
    return outcome;
  }

  /** Gives a call's lease more time, if it is there, or if this process holds it and the store has lost it. */
  async renew(
    limitKey: string,
    callId: string | null,
    options: RenewOptions,
    bounds: Bounds,
  ): Promise<RenewOutcome> {
    const key = leaseKey(limitKey, 'renew: limitKey');
    const id = leaseId(checkedText(callId, 'renew: id'));
    const ttlMs = checkedSpanMs(options.ttl, 'renew: ttl');
    const reply = await this.#table.run(key, { kind: 'renew', id, ttlMs }, bounds);
    if (reply.kind === 'done') {
      return { status: reply.done ? 'renewed' : 'missing', active: reply.active };
    }
    // Stored when the server answers again.
    const nowMs = this.#table.nowMs();
    const lease = this.#table.held.living(key, nowMs).get(id);
    if (lease !== undefined) lease.endMs = Math.max(lease.endMs, nowMs + ttlMs);
    return { status: 'down', reason: reasonOf(reply) };
  }

  /**
   * Gives a call's place back. With a `fork`, null for all, it is that one which gives it back: it stays taken while others have it. What the
   * server did not take is sent when it answers again.
   */
  async release(
    limitKey: string,
    callId: string | null,
    bounds: Bounds,
    fork: string | null = null,
  ): Promise<ReleaseOutcome> {
    const key = leaseKey(limitKey, 'release: limitKey');
    const id = leaseId(checkedText(callId, 'release: id'));
    const step = { kind: 'release', id, fork } as const;
    let kept = false;
    const reply = await this.#table.run(key, step, bounds, (end) => {
      kept = this.#releaseEnded(key, step, end);
    });
    if (reply.kind === 'done') {
      const { done, held, active } = reply;
      return { status: held ? 'kept' : done ? 'released' : 'missing', active };
    }
    return { status: 'down', reason: reasonOf(reply), ...(kept ? { journaled: true } : {}) };
  }

  /** Counts the leases of a limit. */
  async active(limitKey: string, bounds: Bounds): Promise<ActiveOutcome> {
    const key = leaseKey(limitKey, 'active: limitKey');
    const reply = await this.#table.run(key, { kind: 'count' }, bounds);
    return reply.kind === 'done'
      ? { status: 'done', active: reply.active }
      : { status: 'down', reason: reasonOf(reply) };
  }

  async #take(asked: Asked, bounds: Bounds): Promise<LimitOutcome> {
    const { held } = this.#table;
    const { key, id, fork, max, ttlMs } = asked;
    const step = { kind: 'acquire', id, fork, max, ttlMs } as const;
    const reply = await this.#table.run(key, step, bounds, (end, givenUp) => {
      if (givenUp && mayExist(end) && !held.hasFork(key, id, fork)) this.#giveBack(asked);
    });
    const outcome = this.#decide(asked, reply, bounds);
    // Refused to its call, and there all the same.
    if (reply.kind === 'down' && reply.inDoubt && !held.hasFork(key, id, fork)) this.#giveBack(asked);
    return outcome;
  }

  /** What the reply means to the caller, by its policy when there is none. */
  #decide({ key, id, fork, max, ttlMs, onDown }: Asked, reply: StepReply, { signal }: Bounds): LimitOutcome {
    if (reply.kind === 'done') {
      return { status: reply.done ? 'allowed' : 'exceeded', count: reply.active, countedBy: 'cluster' };
    }
    // The store answers: no policy may grant what it would not.
    if (reply.kind === 'busy') {
      return { status: 'exceeded', count: reply.active, countedBy: 'cluster', busy: true };
    }
    if (onDown === 'closed' || signal?.aborted === true) return { status: 'down', reason: reply.reason };
    const count = this.#heldCount(key);
    if (onDown === 'local' && !this.#table.held.has(key, id) && count >= max) {
      return { status: 'exceeded', count, countedBy: 'local' };
    }
    // Remembered, so that it counts when the server answers again.
    this.#hold(key, id, ttlMs, [fork]);
    return {
      status: 'allowed',
      count: this.#heldCount(key),
      countedBy: onDown === 'open' ? 'nobody' : 'local',
    };
  }

  #heldCount(key: string): number {
    return this.#table.held.living(key, this.#table.nowMs()).size;
  }

  #hold(key: string, id: string, ttlMs: number, forks: readonly string[]): void {
    this.#table.held.put(key, id, { endMs: this.#table.nowMs() + ttlMs, generation: '', forks });
  }

  /** Takes back a lease that was made for a call which did not get it; another call of this id may have it by now. */
  #giveBack({ key, id, fork }: Asked): void {
    this.#sendRelease(key, { kind: 'release', id, fork, ifUnused: true });
  }

  #sendRelease(key: string, step: ReleaseStep): void {
    void this.#table.run(key, step, {}, (end) => void this.#releaseEnded(key, step, end));
  }

  /** Sees to it that a release counts. Whether it waits in the journal. */
  #releaseEnded(key: string, step: ReleaseStep, end: StepReply): boolean {
    if (end.kind === 'down') return this.#keepRelease(key, step);
    // The proxy that holds the lease may be about to put it back: the call has ended while the store was away, or has just lost it.
    if (end.kind === 'done' && !end.done && step.fork === null && step.ifUnused !== true)
      this.#releaseAgain(key, step);
    return false;
  }

  #releaseAgain(key: string, step: ReleaseStep): void {
    if (this.#waitingAgain >= MAX_RELEASES_AGAIN) return;
    this.#waitingAgain += 1;
    this.#clock.setTimer(RELEASE_AGAIN_MS, () => {
      this.#waitingAgain -= 1;
      this.#sendRelease(key, { ...step, ifUnused: true });
    });
  }

  #keepRelease(key: string, step: ReleaseStep): boolean {
    return this.#table.serverOf(key).keep(() => this.#sendRelease(key, step));
  }
}

/** @throws ERR_MEMCACHED_LIMIT */
function leaseKey(limitKey: string, what: string): string {
  return `lease:${checkedText(limitKey, what)}`;
}
