import { BoundedCache, type Clock } from '../../../core/index.ts';
import { type CacheClient, down, isWord, storeCommand } from '../client.ts';
import type { Down } from '../outcome.ts';
import { type Bounds, outOfPatience, waitWithin } from '../patience.ts';
import type { CacheValue } from '../value.ts';
import { checkedPolicy, checkedSpanMs, checkedText, type RememberOptions } from './options.ts';
import type { OnDown, RememberOutcome } from './outcome.ts';

/** Longest that one proxy holds the others back while it computes, s; one that dies leaves no lock for longer. */
const LOCK_S = 10;
/** First wait of one who finds the lock taken, ms; it doubles each time, up to the longest. */
const WAIT_MIN_MS = 10;
const WAIT_MAX_MS = 200;
/** How long such a one waits in all, ms: then it computes as well. */
const WAIT_TOTAL_MS = 2000;
/** Values that one process keeps while the store is down. */
export const MAX_LOCAL_VALUES = 1000;

/** Computes a value; null: there is none, and nothing is stored. */
export type Load = () => CacheValue | null | Promise<CacheValue | null>;

interface Asked {
  readonly key: string;
  readonly ttlMs: number;
  readonly load: Load;
  readonly onDown: OnDown;
  readonly bounds: Bounds;
}

/** What a computation came to; `failed`: what `load` threw. */
type Loaded = RememberOutcome | { readonly status: 'failed'; readonly error: unknown };

/** A computation of this process that is under way, for all who ask for the key meanwhile. Each of them stops waiting by itself. */
class Loading {
  readonly outcome: Promise<Loaded>;
  /** In the order in which they came. */
  readonly #waiting = new Set<Asked>();
  /** Whether it still waits for another proxy: that is what callers' budgets are for, not `load`. */
  #isHeldBack = true;

  constructor(run: (loading: Loading) => Promise<Loaded>) {
    this.outcome = run(this);
  }

  /** Whose `load` is to be used: of those who wait the one who came first; undefined when nobody does. */
  get first(): Asked | undefined {
    return [...this.#waiting].find((asked) => !hasAborted(asked));
  }

  /** Whether one of them has no time left to wait for another proxy. */
  get isOutOfBudget(): boolean {
    return [...this.#waiting].some(({ bounds: { budget } }) => outOfPatience({ budget }) !== null);
  }

  /** Waits for the outcome, unless the caller's signal ends that. */
  async join(asked: Asked, clock: Clock): Promise<Loaded> {
    const { signal, budget } = asked.bounds;
    this.#waiting.add(asked);
    if (this.#isHeldBack) budget?.begin();
    const loaded = await waitWithin<Loaded>(this.outcome, { signal, clock, givenUp });
    this.#waiting.delete(asked);
    if (this.#isHeldBack) budget?.end();
    return loaded;
  }

  /** From now on it is computed here. */
  begin(): void {
    if (this.#isHeldBack) for (const { bounds } of this.#waiting) bounds.budget?.end();
    this.#isHeldBack = false;
  }
}

/** Values that are computed by one proxy at a time, and kept for all. */
export class Memory {
  readonly #client: CacheClient;
  readonly #clock: Clock;
  readonly #loading = new Map<string, Loading>();
  /** What was computed while the store was down. */
  readonly #local = new BoundedCache<{ readonly value: CacheValue; readonly endMs: number }>(
    MAX_LOCAL_VALUES,
  );

  constructor({ client, clock }: { readonly client: CacheClient; readonly clock: Clock }) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Reads a key; when it is not there, has `load` compute it, in one proxy and once at a time. What `load` throws comes out. */
  async remember(
    key: string,
    ttl: number,
    {
      load,
      options,
      bounds,
    }: { readonly load: Load; readonly options: RememberOptions; readonly bounds: Bounds },
  ): Promise<RememberOutcome> {
    const asked: Asked = {
      key: checkedText(key, 'remember: key'),
      ttlMs: checkedSpanMs(ttl, 'remember: ttl'),
      load,
      onDown: checkedPolicy(options.onDown, 'remember: onDown'),
      bounds,
    };
    const read = await this.#client.read(key, bounds);
    if (read.status === 'hit') return read;
    if (read.status === 'down') return this.#whileDown(asked, read);
    const loaded = await this.#loadingOf(key).join(asked, this.#clock);
    if (loaded.status === 'failed') throw loaded.error;
    return loaded.status === 'down' ? this.#whileDown(asked, loaded) : loaded;
  }

  #loadingOf(key: string): Loading {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = new Loading((own) => this.#loadOnce(key, own));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** Takes the lock and computes, or waits for the one who has it. Never rejects. */
  async #loadOnce(key: string, loading: Loading): Promise<Loaded> {
    const lock = this.#client.wireKey(`lock:${key}`);
    const server = this.#client.serverOf(lock);
    const startMs = this.#clock.now();
    try {
      for (let waitMs = WAIT_MIN_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)) {
        const add = storeCommand('add', lock, { flags: 0, bytes: '1' }, LOCK_S);
        const locked = await server.execute('add', lock, add, server.deadlineMs());
        if (isWord(locked, 'STORED')) return await this.#loadLocked(key, lock, loading);
        if (!isWord(locked, 'NOT_STORED')) return down(locked);
        const isLate = this.#clock.now() - startMs >= WAIT_TOTAL_MS || loading.isOutOfBudget;
        if (isLate || loading.first === undefined) return await this.#load(loading);
        await this.#pause(waitMs);
        const read = await this.#client.read(key);
        if (read.status !== 'miss') return read;
      }
    } catch (error) {
      return { status: 'failed', error };
    } finally {
      this.#loading.delete(key);
    }
  }

  async #loadLocked(key: string, lock: string, loading: Loading): Promise<Loaded> {
    const server = this.#client.serverOf(lock);
    const startMs = this.#clock.now();
    try {
      // Someone may have computed it between the read and the lock.
      const read = await this.#client.read(key);
      return read.status === 'hit' ? read : await this.#load(loading);
    } finally {
      // A lock that may have ended is another's by now.
      const isOwn = this.#clock.now() - startMs < (LOCK_S - 1) * 1000;
      if (isOwn) void server.execute('delete', lock, `delete ${lock}\r\n`, server.deadlineMs());
    }
  }

  async #load(loading: Loading): Promise<Loaded> {
    loading.begin();
    for (let asked = loading.first; asked !== undefined; asked = loading.first) {
      const { key, ttlMs, load } = asked;
      try {
        const value = await load();
        if (value !== null) await this.#client.write(key, value, { expire: Math.ceil(ttlMs / 1000) });
        return { status: 'loaded', value };
      } catch (error) {
        // The load of one who has given up may fail for that: the next one's is used.
        if (!hasAborted(asked)) throw error;
      }
    }
    return givenUp('aborted');
  }

  async #whileDown(asked: Asked, read: Down): Promise<RememberOutcome> {
    const { key, ttlMs, load, onDown } = asked;
    if (onDown === 'closed' || hasAborted(asked)) return read;
    const nowMs = this.#clock.now();
    const local = onDown === 'local' ? this.#local.get(key) : undefined;
    if (local !== undefined && local.endMs > nowMs) return { status: 'hit', value: local.value };
    const value = await load();
    if (onDown === 'local' && value !== null) this.#local.set(key, { value, endMs: nowMs + ttlMs });
    return { status: 'loaded', value };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(ms, resolve));
  }
}

function hasAborted({ bounds: { signal } }: Asked): boolean {
  return signal?.aborted === true;
}

function givenUp(reason: string): Down {
  return { status: 'down', reason };
}
