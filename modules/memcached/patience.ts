import type { Clock } from '../../core/index.ts';

/** What one transaction may spend on waiting for servers. Operations that run side by side count once. */
export class Budget {
  readonly totalMs: number;
  readonly #clock: Clock;
  readonly #exhausted: () => void;
  #usedMs = 0;
  #running = 0;
  #sinceMs = 0;

  /** `exhausted` is told of each operation that got no time, or less than it needed. */
  constructor(clock: Clock, totalMs: number, exhausted: () => void = () => {}) {
    this.#clock = clock;
    this.totalMs = totalMs;
    this.#exhausted = exhausted;
  }

  /** What is left, ms; 0 when it is used up. */
  get leftMs(): number {
    const running = this.#running === 0 ? 0 : this.#clock.now() - this.#sinceMs;
    return Math.max(0, this.totalMs - this.#usedMs - running);
  }

  /** It was not enough for an operation. */
  exhausted(): void {
    this.#exhausted();
  }

  /** Counts the time until an operation ends, which never rejects. */
  spend<T>(running: Promise<T>): Promise<T> {
    this.begin();
    return running.then((value) => {
      this.end();
      return value;
    });
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
  if (budget === undefined || budget.leftMs > 0) return null;
  budget.exhausted();
  return usedUp(budget);
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
  const limiting = budgetMs < limitMs ? budget : undefined;
  if (budget !== undefined && signal === undefined && leftMs >= endsInMs) return budget.spend(running);
  budget?.begin();
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
    const expired = (): void =>
      void setImmediate(() => {
        if (finished) return;
        limiting?.exhausted();
        finish(givenUp(limiting === undefined ? 'no answer within the timeout' : usedUp(limiting)));
      });
    let finished = false;
    const timer = leftMs < endsInMs ? clock.setTimer(leftMs, expired) : null;
    signal?.addEventListener('abort', aborted, { once: true });
    void running.then(finish);
  });
}
