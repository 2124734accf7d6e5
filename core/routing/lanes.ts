import { isPromiseLike } from '../registry/promise-like.ts';

/** A piece of work; its lane waits for the promise, when it returns one. */
export type Task = () => unknown;

interface LanesOptions {
  /** Tasks of one key that may wait behind the one that runs. */
  readonly perLane: number;
  /** Tasks of all keys that may run and wait. */
  readonly total: number;
  /** Told of what a task throws or rejects with; the lane goes on. */
  readonly onError: (error: unknown, key: string) => void;
}

/** Tasks in the order in which they came, by key: those of one key one after the other, those of different keys at once. */
export class Lanes {
  readonly #perLane: number;
  readonly #maxTotal: number;
  readonly #onError: LanesOptions['onError'];
  /** Tasks that wait, by the keys of which a task runs. */
  readonly #waiting = new Map<string, Task[]>();
  #total = 0;

  constructor({ perLane, total, onError }: LanesOptions) {
    this.#perLane = perLane;
    this.#maxTotal = total;
    this.#onError = onError;
  }

  /** How many keys have a task that runs. */
  get lanes(): number {
    return this.#waiting.size;
  }

  /** Tasks that run or wait. */
  get tasks(): number {
    return this.#total;
  }

  /** Runs a task: at once when its lane is idle, else after those before it. False when there is no room for it. */
  run(key: string, task: Task): boolean {
    if (this.#total >= this.#maxTotal) return false;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      if (waiting.length >= this.#perLane) return false;
      waiting.push(task);
      this.#total += 1;
      return true;
    }
    const lane: Task[] = [];
    this.#waiting.set(key, lane);
    this.#total += 1;
    this.#drain(key, lane, task);
    return true;
  }

  #drain(key: string, lane: Task[], first: Task): void {
    for (let task: Task | undefined = first; task !== undefined; task = lane.shift()) {
      const pending = this.#attempt(key, task);
      if (isPromiseLike(pending)) {
        pending.then(
          () => this.#next(key, lane),
          (error: unknown) => {
            this.#onError(error, key);
            this.#next(key, lane);
          },
        );
        return;
      }
      this.#total -= 1;
    }
    this.#waiting.delete(key);
  }

  #attempt(key: string, task: Task): unknown {
    try {
      return task();
    } catch (error) {
      this.#onError(error, key);
      return undefined;
    }
  }

  #next(key: string, lane: Task[]): void {
    this.#total -= 1;
    const task = lane.shift();
    if (task === undefined) this.#waiting.delete(key);
    else this.#drain(key, lane, task);
  }
}
