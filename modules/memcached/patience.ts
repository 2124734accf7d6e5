import type { Clock } from '../../core/index.ts';

/** What one transaction may spend on waiting for servers. Operations that run side by side count once. */
export class Budget {
  readonly totalMs: number;
  readonly #clock: Clock;
  #usedMs = 0;
  #running = 0;
  #sinceMs = 0;

  constructor(clock: Clock, totalMs: number) {
    this.#clock = clock;
    this.totalMs = totalMs;
  }

  /** What is left, ms; 0 when it is used up. */
  get leftMs(): number {
    const running = this.#running === 0 ? 0 : this.#clock.now() - this.#sinceMs;
    return Math.max(0, this.totalMs - this.#usedMs - running);
  }

  begin(): void {
    if (this.#running++ === 0) this.#sinceMs = this.#clock.now();
  }

  end(): void {
    if (--this.#running === 0) this.#usedMs += this.#clock.now() - this.#sinceMs;
  }
}

/** How long a caller waits, apart from the deadline of each operation. */
export interface Bounds {
  /** Ends the waiting: the operation comes to `down`, `aborted`. One that has been sent may still be carried out. */
  readonly signal?: AbortSignal | undefined;
  /** What the operation may take from. */
  readonly budget?: Budget | undefined;
}

/** Whether a caller has time left; if not, why. */
export function outOfPatience({ signal, budget }: Bounds): string | null {
  if (signal?.aborted === true) return 'aborted';
  return budget !== undefined && budget.leftMs <= 0 ? usedUp(budget) : null;
}

function usedUp({ totalMs }: Budget): string {
  return `the budget of ${totalMs} ms of this transaction is used up`;
}

export interface Waiting<T> extends Bounds {
  readonly clock: Clock;
  /** By when the operation ends by itself, ms from now. */
  readonly endsInMs?: number;
  /** By when the caller stops waiting in any case, ms from now. */
  readonly limitMs?: number;
  /** What comes back when the caller's time ends first. The operation itself goes on. */
  readonly givenUp: (reason: string) => T;
}

/** Resolves to what `running`, which never rejects, comes to, or to `givenUp` when the caller's time ends before. */
export function waitWithin<T>(running: Promise<T>, waiting: Waiting<T>): Promise<T> {
  const { signal, budget, clock, givenUp } = waiting;
  const { endsInMs = Number.POSITIVE_INFINITY, limitMs = Number.POSITIVE_INFINITY } = waiting;
  if (signal === undefined && budget === undefined && limitMs >= endsInMs) return running;
  const early = outOfPatience(waiting);
  if (early !== null) return Promise.resolve(givenUp(early));
  const budgetMs = budget?.leftMs ?? Number.POSITIVE_INFINITY;
  const leftMs = Math.min(budgetMs, limitMs);
  const late = budget !== undefined && budgetMs < limitMs ? usedUp(budget) : 'no answer within the timeout';
  budget?.begin();
  // What most come to: time enough for the operation, and no signal.
  if (budget !== undefined && signal === undefined && leftMs >= endsInMs) {
    return running.then((value) => {
      budget.end();
      return value;
    });
  }
  return new Promise((resolve) => {
    const finish = (value: T): void => {
      if (finished) return;
      finished = true;
      budget?.end();
      timer?.cancel();
      signal?.removeEventListener('abort', aborted);
      resolve(value);
    };
    const aborted = (): void => finish(givenUp('aborted'));
    // One more look at the sockets first: when this process was held up, the reply is there to be read.
    const expired = (): void => void setImmediate(() => finish(givenUp(late)));
    let finished = false;
    const timer = leftMs < endsInMs ? clock.setTimer(leftMs, expired) : null;
    signal?.addEventListener('abort', aborted, { once: true });
    void running.then(finish);
  });
}
