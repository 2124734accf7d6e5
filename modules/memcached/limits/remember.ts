import { BoundedCache, type Clock } from '../../../core/index.ts';
import { type CacheClient, down, isWord, storeCommand } from '../client.ts';
import type { Down } from '../outcome.ts';
import { type Bounds, outOfPatience } from '../patience.ts';
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

/** Values that are computed by one proxy at a time, and kept for all. */
export class Memory {
  readonly #client: CacheClient;
  readonly #clock: Clock;
  /** Computations of this process that are under way. */
  readonly #loading = new Map<string, Promise<RememberOutcome>>();
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
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const own = this.#loadOnce(asked).finally(() => this.#loading.delete(key));
    this.#loading.set(key, own);
    return own;
  }

  /** Takes the lock and computes, or waits for the one who has it. */
  async #loadOnce(asked: Asked): Promise<RememberOutcome> {
    const { key, bounds } = asked;
    const lock = this.#client.wireKey(`lock:${key}`);
    const server = this.#client.serverOf(lock);
    const startMs = this.#clock.now();
    for (let waitMs = WAIT_MIN_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)) {
      const add = storeCommand('add', lock, { flags: 0, bytes: '1' }, LOCK_S);
      const locked = await server.execute('add', lock, add, server.deadlineMs());
      if (isWord(locked, 'STORED')) return this.#loadLocked(asked, lock);
      if (!isWord(locked, 'NOT_STORED')) return this.#whileDown(asked, down(locked));
      const late = this.#clock.now() - startMs >= WAIT_TOTAL_MS || outOfPatience(bounds) !== null;
      if (late) return this.#load(asked);
      await this.#pause(waitMs, bounds);
      const read = await this.#client.read(key, bounds);
      if (read.status === 'hit') return read;
      if (read.status === 'down') return this.#whileDown(asked, read);
    }
  }

  async #loadLocked(asked: Asked, lock: string): Promise<RememberOutcome> {
    const server = this.#client.serverOf(lock);
    const startMs = this.#clock.now();
    try {
      // Someone may have computed it between the read and the lock.
      const read = await this.#client.read(asked.key);
      return read.status === 'hit' ? read : await this.#load(asked);
    } finally {
      // A lock that may have ended is another's by now.
      const isOwn = this.#clock.now() - startMs < (LOCK_S - 1) * 1000;
      if (isOwn) void server.execute('delete', lock, `delete ${lock}\r\n`, server.deadlineMs());
    }
  }

  async #load({ key, ttlMs, load }: Asked): Promise<RememberOutcome> {
    const value = await load();
    if (value !== null) await this.#client.write(key, value, { expire: Math.ceil(ttlMs / 1000) });
    return { status: 'loaded', value };
  }

  async #whileDown({ key, ttlMs, load, onDown, bounds }: Asked, read: Down): Promise<RememberOutcome> {
    if (onDown === 'closed' || bounds.signal?.aborted === true) return read;
    const nowMs = this.#clock.now();
    const local = onDown === 'local' ? this.#local.get(key) : undefined;
    if (local !== undefined && local.endMs > nowMs) return { status: 'hit', value: local.value };
    const value = await load();
    if (onDown === 'local' && value !== null) this.#local.set(key, { value, endMs: nowMs + ttlMs });
    return { status: 'loaded', value };
  }

  /** Waits, from the caller's budget. */
  #pause(ms: number, { budget }: Bounds): Promise<void> {
    budget?.begin();
    return new Promise((resolve) => {
      this.#clock.setTimer(ms, () => {
        budget?.end();
        resolve();
      });
    });
  }
}
