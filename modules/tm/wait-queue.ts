import type { Clock, Timer } from '../../core/index.ts';
import { emptySlots } from './empty-slots.ts';

/** What is told that its wait is over. */
export interface Waiting {
  waitOver(): void;
}

/** Entries of a chunk. */
const CHUNK = 1_024;

interface Chunk {
  readonly waiting: (Waiting | null)[];
  readonly dueMs: Float64Array;
}

/**
 * What waits equally long: the first that comes is the first that is done. Tens of thousands of transactions wait so; an entry is two numbers' worth of
 * memory and no object, and one timer serves all.
 */
export class WaitQueue {
  readonly #clock: Clock;
  readonly #ms: number;
  /** From the one of the longest wait on. */
  #chunks: Chunk[] = [];
  /** Place of the first entry of the first chunk, of the one that waits longest, and of the next to come. */
  #start = 0;
  #first = 0;
  #next = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Returns its place. */
  add(waiting: Waiting): number {
    const place = this.#next;
    const at = place % CHUNK;
    if (at === 0) this.#chunks.push({ waiting: emptySlots(CHUNK), dueMs: new Float64Array(CHUNK) });
    const { waiting: entries, dueMs } = this.#chunkOf(place);
    entries[at] = waiting;
    dueMs[at] = this.#clock.now() + this.#ms;
    this.#next = place + 1;
    this.#timer ??= this.#clock.setTimerFor(this, this.#ms, WaitQueue.#firstDue);
    return place;
  }

  /** Has another wait at this place, or nobody. */
  put(place: number, waiting: Waiting | null): void {
    this.#chunkOf(place).waiting[place % CHUNK] = waiting;
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#chunks = [];
    this.#start = this.#first = this.#next = 0;
  }

  #chunkOf(place: number): Chunk {
    return this.#chunks[Math.floor((place - this.#start) / CHUNK)]!;
  }

  static readonly #firstDue = (queue: WaitQueue): void => {
    queue.#timer = null;
    try {
      queue.#endDue(queue.#clock.now());
    } finally {
      queue.#startTimer();
    }
  };

  #endDue(now: number): void {
    while (this.#first !== this.#next) {
      const at = this.#first % CHUNK;
      const { waiting, dueMs } = this.#chunks[0]!;
      if (dueMs[at]! > now) return;
      const ended = waiting[at];
      waiting[at] = null;
      this.#first += 1;
      if (at === CHUNK - 1) {
        this.#chunks.shift();
        this.#start = this.#first;
      }
      ended?.waitOver();
    }
  }

  #startTimer(): void {
    if (this.#first === this.#next || this.#timer !== null) return;
    const delay = this.#chunks[0]!.dueMs[this.#first % CHUNK]! - this.#clock.now();
    this.#timer = this.#clock.setTimerFor(this, delay, WaitQueue.#firstDue);
  }
}

/** The waits of transactions that are over, by their length. */
export class Waits {
  readonly #clock: Clock;
  readonly #queues = new Map<number, WaitQueue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those of `ms`: of a few lengths only, since a queue stays. */
  ofLength(ms: number): WaitQueue {
    const known = this.#queues.get(ms);
    if (known !== undefined) return known;
    const queue = new WaitQueue(this.#clock, ms);
    this.#queues.set(ms, queue);
    return queue;
  }

  /** Forgets all that waits. */
  clear(): void {
    for (const queue of this.#queues.values()) queue.clear();
  }
}
