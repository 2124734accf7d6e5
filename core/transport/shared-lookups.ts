import type { Clock } from '../clock.ts';

/** Answers remembered, the newest. */
const MAX_CACHED = 1_000;
/** Look-ups going on at once. An unanswered one counts until its source gives it up, however long the caller waited. */
const MAX_PENDING = 200;

interface Cached<T> {
  readonly result: T;
  readonly expiresMs: number;
}

/** How look-ups ended. */
export interface LookupCounters {
  /** What was asked for was remembered. */
  cached: number;
  /** It was being looked up already. */
  shared: number;
  /** It was looked up. */
  asked: number;
  /** Too many were going on. */
  refused: number;
}

interface LookupOptions<T> {
  readonly clock: Clock;
  /** How long a caller waits for an answer, ms. */
  readonly waitMs: number;
  /** The answer of those who get none. */
  readonly failed: (reason: string) => T;
  /** How long an answer is remembered, ms. */
  readonly lifetimeMs: (result: T) => number;
}

/** Look-ups that are slow and come again: remembers what they found, and lets all who ask for the same wait for one of them. */
export class SharedLookups<T extends object> {
  readonly counters: LookupCounters = { cached: 0, shared: 0, asked: 0, refused: 0 };
  readonly #options: LookupOptions<T>;
  /** Oldest first. */
  readonly #cache = new Map<string, Cached<T>>();
  readonly #waiting = new Map<string, Promise<T>>();
  #pending = 0;

  constructor(options: LookupOptions<T>) {
    this.#options = options;
  }

  /** What is remembered for `key`, at once; otherwise what `start` finds, which calls `done` once. Never rejects. */
  find(key: string, start: (done: (result: T) => void) => void): T | Promise<T> {
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.expiresMs > this.#options.clock.now()) {
      this.counters.cached += 1;
      return cached.result;
    }
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      this.counters.shared += 1;
      return waiting;
    }
    if (this.#pending >= MAX_PENDING) {
      this.counters.refused += 1;
      return this.#options.failed('too many names are being looked up');
    }
    this.counters.asked += 1;
    return this.#start(key, start);
  }

  #start(key: string, start: (done: (result: T) => void) => void): Promise<T> {
    const { clock, waitMs, failed } = this.#options;
    let answered!: (result: T) => void;
    const answer = new Promise<T>((resolve) => {
      answered = resolve;
    });
    this.#waiting.set(key, answer);
    const end = (result: T): void => {
      if (this.#waiting.get(key) === answer) this.#waiting.delete(key);
      this.#remember(key, result);
      answered(result);
    };
    const late = clock.setTimer(waitMs, () => end(failed(`no answer within ${waitMs} ms`)));
    this.#pending += 1;
    start((result) => {
      this.#pending -= 1;
      late.cancel();
      // After the wait the callers have gone, but the answer serves the next ones.
      end(result);
    });
    return answer;
  }

  #remember(key: string, result: T): void {
    const { clock, lifetimeMs } = this.#options;
    this.#cache.delete(key);
    this.#cache.set(key, { result, expiresMs: clock.now() + lifetimeMs(result) });
    if (this.#cache.size <= MAX_CACHED) return;
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined) this.#cache.delete(oldest);
  }
}
