import type { Clock } from '../../../core/index.ts';
import { down, isWord } from '../client.ts';
import type { Reply } from '../command.ts';
import { type Bounds, outOfPatience, waitWithin } from '../patience.ts';
import type { CacheServer } from '../server.ts';
import { HeldLeases } from './held-leases.ts';
import { HeldSweep } from './held-sweep.ts';
import type { LeaseSet } from './lease-set.ts';
import { applySteps, type LeaseStep, type StepResult } from './lease-steps.ts';
import { LeaseStore, type LeaseStoreOptions, type StoredLeases } from './lease-store.ts';
import { RepublishTimer } from './republish-timer.ts';
import { type StepReply, stepDown } from './step-reply.ts';

/** Steps that may wait in one process, over all limits; one more fails at once. */
export const MAX_WAITING_STEPS = 10_000;

/** How often a change starts over at once because another process was faster; after that it waits for a random time before each. */
export const QUICK_ROUNDS = 50;
/** Longest such wait, ms. */
const MAX_JITTER_MS = 30;

/** Told what a step came to, and whether its caller had stopped waiting. */
type StepEnded = (reply: StepReply, givenUp: boolean) => void;

interface Waiting {
  readonly step: LeaseStep;
  readonly settle: (reply: StepReply) => void;
  /** Whether the caller has stopped waiting. */
  givenUp: boolean;
  /** Leases that the limit had when the store last took or refused a change of it; null: neither, since this was asked for. */
  active: number | null;
}

export interface LeaseTableOptions extends LeaseStoreOptions {
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random?: () => number;
}

/**
 * Leases on shared limits. Each limit is one value, changed by `gets` and `cas`: two round trips, whatever the number of steps that this process
 * asks of it at the time, since all that wait are carried out in one change.
 */
export class LeaseTable {
  readonly held = new HeldLeases();
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Steps that wait, by limit; there while one is being worked on. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #republishing: readonly RepublishTimer[];
  readonly #sweep: HeldSweep;
  #waiting = 0;

  constructor(options: LeaseTableOptions) {
    const { client, clock, random } = options;
    this.#store = new LeaseStore(options);
    this.#clock = clock;
    this.#random = random ?? Math.random;
    this.#republishing = client.servers.map((server) => {
      const timer = new RepublishTimer(clock, () => this.#republish(server));
      server.onReturn(() => timer.request());
      return timer;
    });
    this.#sweep = new HeldSweep(
      clock,
      () => this.held.keys(),
      (limit) => this.#look(limit),
    );
  }

  stop(): void {
    this.#sweep.stop();
    for (const timer of this.#republishing) timer.stop();
  }

  /** Unix time, ms. */
  nowMs(): number {
    return this.#store.nowMs();
  }

  serverOf(limit: string): CacheServer {
    return this.#store.serverOf(limit);
  }

  /**
   * Carries out a step within the timeout of an operation. `ended` is called when it has come to its end, which may be after the caller has
   * stopped waiting. A release is carried out whether or not its caller waits.
   */
  run(limit: string, step: LeaseStep, bounds: Bounds = {}, ended?: StepEnded): Promise<StepReply> {
    const isRelease = step.kind === 'release';
    this.#forget(limit, step);
    const refusal = this.#waiting >= MAX_WAITING_STEPS ? 'queue full' : outOfPatience(bounds);
    if (refusal !== null && (refusal === 'queue full' || refusal === 'aborted' || !isRelease)) {
      const reply = stepDown(refusal, false);
      if (refusal === 'queue full') ended?.(reply, false);
      return Promise.resolve(reply);
    }
    const { promise, waiting } = this.#enqueue(limit, step, ended);
    return waitWithin(promise, {
      ...bounds,
      clock: this.#clock,
      limitMs: this.serverOf(limit).timeoutMs,
      givenUp: (reason) => {
        waiting.givenUp = true;
        const { active } = waiting;
        return active === null || reason === 'aborted' ? stepDown(reason, false) : { kind: 'busy', active };
      },
    });
  }

  #enqueue(
    limit: string,
    step: LeaseStep,
    ended?: StepEnded,
  ): { readonly promise: Promise<StepReply>; readonly waiting: Waiting } {
    const { promise, resolve } = withResolver<StepReply>();
    const settle = (reply: StepReply): void => {
      this.#waiting--;
      ended?.(reply, waiting.givenUp);
      resolve(reply);
    };
    const waiting: Waiting = { step, settle, givenUp: false, active: null };
    this.#waiting++;
    const queue = this.#queues.get(limit);
    if (queue === undefined) {
      this.#queues.set(limit, [waiting]);
      void this.#work(limit);
    } else queue.push(waiting);
    return { promise, waiting };
  }

  /** Works off what waits on a limit, and what comes meanwhile. */
  async #work(limit: string): Promise<void> {
    // Steps asked for in the same turn go together.
    await Promise.resolve();
    const queue = this.#queues.get(limit) ?? [];
    while (queue.length > 0) await this.#change(limit, queue);
    this.#queues.delete(limit);
  }

  /** Carries out what waits, and starts over as long as others are faster: each lost race is the change of another. */
  async #change(limit: string, queue: Waiting[]): Promise<void> {
    let batch: Waiting[] = [];
    let reading: Promise<StoredLeases | string> | null = null;
    let queued = 0;
    for (let round = 0; ; round++) {
      // What was asked for after the value was read is not decided by it.
      batch = [...batch, ...queue.splice(0, reading === null ? queue.length : queued)].filter(isWanted);
      if (batch.length === 0) return;
      const read = await (reading ?? this.#store.read(limit));
      if (typeof read === 'string') {
        this.#fail(limit, batch, read, null);
        return;
      }
      const active = read.set.leases.size;
      const { results, storing } = this.#apply(limit, batch, read);
      // From the second attempt on the next look leaves with it: a race that is lost costs one round trip, not two.
      const isQuick = round < QUICK_ROUNDS;
      reading = storing !== null && round > 0 && isQuick ? this.#store.read(limit) : null;
      queued = queue.length;
      if (this.#ended(limit, batch, { read, results, stored: await storing })) return;
      for (const waiting of [...batch, ...queue]) waiting.active = active;
      if (!isQuick) await this.#pause(this.#random() * MAX_JITTER_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(ms, resolve));
  }

  /** Carries out steps on what was read, and stores it if that changes anything. */
  #apply(
    limit: string,
    batch: readonly Waiting[],
    read: StoredLeases,
  ): { readonly results: readonly StepResult[]; readonly storing: Promise<Reply> | null } {
    const { set, nowMs, isBounded } = read;
    const steps = batch.map(({ step }) => step);
    const { changed, results, gone } = applySteps(set, steps, {
      nowMs,
      held: this.held.living(limit, nowMs),
    });
    for (const id of gone) this.held.delete(limit, id);
    return { results, storing: changed || isBounded ? this.#store.write(limit, read) : null };
  }

  /** Tells what the steps came to; `stored` null: there was nothing to store. False when another process was faster. */
  #ended(
    limit: string,
    batch: readonly Waiting[],
    {
      read,
      results,
      stored,
    }: {
      readonly read: StoredLeases;
      readonly results: readonly StepResult[];
      readonly stored: Reply | null;
    },
  ): boolean {
    if (stored === null || isWord(stored, 'STORED')) {
      this.#succeed(limit, batch, { ...read, results });
      return true;
    }
    if (stored.kind === 'word') return false;
    const inDoubt = stored.kind === 'down' && stored.sent;
    this.#fail(limit, batch, down(stored).reason, inDoubt ? results : null);
    return true;
  }

  #succeed(
    limit: string,
    batch: readonly Waiting[],
    {
      set,
      results,
      nowMs,
    }: { readonly set: LeaseSet; readonly results: readonly StepResult[]; readonly nowMs: number },
  ): void {
    const { generation, leases } = set;
    for (const [id, lease] of this.held.living(limit, nowMs))
      if (leases.has(id)) lease.generation = generation;
    for (const [index, { step, givenUp }] of batch.entries()) {
      this.#forget(limit, step);
      if ((step.kind !== 'acquire' && step.kind !== 'renew') || results[index]?.done !== true || givenUp)
        continue;
      const lease = leases.get(step.id);
      if (lease === undefined) continue;
      const forks = step.kind === 'acquire' ? [step.fork] : [...lease.forks];
      this.held.put(limit, step.id, { endMs: lease.endMs, generation, forks });
    }
    // All are held before the first is told: one whose caller has gone is given back unless another holds it.
    for (const [index, { settle }] of batch.entries()) {
      settle({
        kind: 'done',
        ...(results[index] ?? { done: false, created: false, held: false, active: leases.size }),
      });
    }
    for (const waiting of this.#queues.get(limit) ?? []) waiting.active = leases.size;
  }

  /** `attempted`: what the change would have come to, when it may have been carried out. */
  #fail(
    limit: string,
    batch: readonly Waiting[],
    reason: string,
    attempted: readonly StepResult[] | null,
  ): void {
    for (const [index, { step, settle }] of batch.entries()) {
      this.#forget(limit, step);
      settle(stepDown(reason, attempted?.[index]?.created ?? false));
    }
  }

  /** A lease that is released is held no more. */
  #forget(limit: string, step: LeaseStep): void {
    if (step.kind !== 'release' || step.ifUnused === true) return;
    if (step.fork === null) this.held.delete(limit, step.id);
    else this.held.deleteFork(limit, step.id, step.fork);
  }

  /** Puts back what a server has lost, and adds what was granted while it was down. */
  #republish(server: CacheServer): void {
    for (const limit of this.held.keys()) if (this.serverOf(limit) === server) this.#look(limit);
  }

  /** Puts back what the store has lost of a limit, and forgets what others have released: after a loss that would be put back. */
  #look(limit: string): void {
    void this.run(limit, { kind: 'count' });
  }
}

/** Whether a step is still to be carried out; one whose caller has gone is settled. */
function isWanted({ step, settle, givenUp }: Waiting): boolean {
  if (!givenUp || step.kind === 'release') return true;
  settle(stepDown('given up', false));
  return false;
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((resolver) => {
    resolve = resolver;
  });
  return { promise, resolve };
}
