import { BoundedCache, type Clock } from '../../../core/index.ts';
import { type CacheClient, down, isWord, storeCommand } from '../client.ts';
import type { Reply } from '../command.ts';
import type { Down } from '../outcome.ts';
import { type Bounds, outOfPatience, waitWithin } from '../patience.ts';
import type { CacheServer } from '../server.ts';
import type { Decisions } from './decisions.ts';
import { checkedCount, checkedPolicy, checkedSpanMs, checkedText, type RateOptions } from './options.ts';
import type { LimitOutcome, OnDown } from './outcome.ts';

/** Parts of a period that are counted apart. More: closer to the true rate, and more counters to read. */
export const SUB_WINDOWS = 20;

/** Rates that one process keeps figures of; the longest unused are read again. */
const MAX_KNOWN_RATES = 10_000;

/** What this process knows of one rate: sub-windows that are over, and what it counted alone while the store was down. */
interface Known {
  /** Counts of sub-windows by their number; those of before the period are dropped. */
  readonly cluster: Map<number, number>;
  readonly local: Map<number, number>;
}

/** The counters of one call of `rate`. */
interface Window {
  readonly server: CacheServer;
  /** Number of the sub-window that is running. */
  readonly now: number;
  readonly wire: (index: number) => string;
  /** Lifetime of a counter, s. */
  readonly lifetimeS: number;
}

export interface RatesOptions {
  readonly client: CacheClient;
  readonly clock: Clock;
  /** Unix time, ms: what sub-windows are numbered by, on every proxy. */
  readonly nowMs?: () => number;
  /** Counts what was decided. */
  readonly decisions: Decisions;
}

/** How often something happens within a period that slides, counted by all proxies together. */
export class Rates {
  readonly #client: CacheClient;
  readonly #clock: Clock;
  readonly #nowMs: () => number;
  readonly #decisions: Decisions;
  readonly #known = new BoundedCache<Known>(MAX_KNOWN_RATES);

  constructor({ client, clock, nowMs, decisions }: RatesOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#nowMs = nowMs ?? Date.now;
    this.#decisions = decisions;
  }

  /** Counts once, unless the period would then hold more than `limit`. */
  async rate(key: string, options: RateOptions, bounds: Bounds): Promise<LimitOutcome> {
    const name = `rate:${checkedText(key, 'rate: key')}`;
    const limit = checkedCount(options.limit, 'rate: limit');
    const perMs = checkedSpanMs(options.per, 'rate: per');
    const onDown = checkedPolicy(options.onDown, 'rate: onDown');
    const now = Math.floor(this.#nowMs() / (perMs / SUB_WINDOWS));
    const known = this.#knownOf(`${name}:${perMs}`, now);
    const counted = await this.#countWithin(
      {
        server: this.#client.serverOf(this.#client.wireKey(name)),
        now,
        wire: (index) => this.#client.wireKey(`${name}:${perMs}:${index}`),
        lifetimeS: Math.ceil((perMs * (SUB_WINDOWS + 2)) / SUB_WINDOWS / 1000) + 1,
      },
      known,
      { limit, bounds },
    );
    const closed = onDown === 'closed' || bounds.signal?.aborted === true;
    const outcome =
      typeof counted === 'number' || closed
        ? byCluster(counted, limit)
        : byItself(known.local, { now, limit, onDown });
    this.#decisions[outcome.status] += 1;
    return outcome;
  }

  #knownOf(id: string, now: number): Known {
    const known = this.#known.get(id) ?? {
      cluster: new Map<number, number>(),
      local: new Map<number, number>(),
    };
    for (const counts of [known.cluster, known.local]) {
      for (const index of counts.keys()) if (index < now - SUB_WINDOWS || index > now) counts.delete(index);
    }
    this.#known.set(id, known);
    return known;
  }

  #countWithin(
    window: Window,
    known: Known,
    { limit, bounds }: { readonly limit: number; readonly bounds: Bounds },
  ): Promise<number | Down> {
    const early = outOfPatience(bounds);
    if (early !== null) return Promise.resolve({ status: 'down', reason: early });
    return waitWithin<number | Down>(this.#count(window, known, limit), {
      ...bounds,
      clock: this.#clock,
      limitMs: window.server.timeoutMs,
      givenUp: (reason) => ({ status: 'down', reason }),
    });
  }

  /** The period's count with this one; above `limit` it is taken back. All commands leave in one turn: one round trip. */
  async #count(window: Window, known: Known, limit: number): Promise<number | Down> {
    const { server, now, wire } = window;
    const deadlineMs = server.deadlineMs();
    const running = server.execute('incr', wire(now), `incr ${wire(now)} 1\r\n`, deadlineMs);
    let others = this.#others(window, known);
    const first = await running;
    const isNew = isWord(first, 'NOT_FOUND');
    const creating = isNew ? this.#created(window, deadlineMs) : Promise.resolve(countOf(first));
    if (isNew) {
      // What others count between the look at their sub-windows and the count here would be missed.
      await others;
      others = this.#others(window, known);
    }
    let total = await creating;
    for (const count of await others) {
      if (typeof total !== 'number') return total;
      if (typeof count !== 'number') return count;
      total += count;
    }
    if (typeof total !== 'number') return total;
    // Not waited for, nor kept when it fails: the counter is gone after the period.
    if (total > limit) void server.execute('decr', wire(now), `decr ${wire(now)} 1\r\n`, server.deadlineMs());
    return total;
  }

  /** The counts of the other sub-windows that may matter, by what is known of them or the store holds. */
  #others(window: Window, known: Known): Promise<readonly (number | Down)[]> {
    const { now } = window;
    const counts: Promise<number | Down>[] = [];
    // The next one may be counted into already by a proxy whose clock is ahead.
    for (let index = now - SUB_WINDOWS; index <= now + 1; index++) {
      if (index === now) continue;
      const count = known.cluster.get(index);
      counts.push(count === undefined ? this.#read(window, known, index) : Promise.resolve(count));
    }
    return Promise.all(counts);
  }

  /** The counter of this sub-window, which the first who counts in it creates, in a round trip more. */
  async #created({ server, now, wire, lifetimeS }: Window, deadlineMs: number): Promise<number | Down> {
    const key = wire(now);
    const add = storeCommand('add', key, { flags: 0, bytes: '0' }, lifetimeS);
    const startedMs = this.#clock.now();
    const adding = server.execute('add', key, add, deadlineMs, startedMs);
    const counting = server.execute('incr', key, `incr ${key} 1\r\n`, deadlineMs, startedMs);
    await adding;
    return countOf(await counting);
  }

  async #read({ server, now, wire }: Window, known: Known, index: number): Promise<number | Down> {
    const key = wire(index);
    const reply = await server.execute('get', key, `get ${key}\r\n`, server.deadlineMs());
    if (reply.kind !== 'value' && !isWord(reply, 'END')) return down(reply);
    const count = reply.kind === 'value' ? Number(reply.value.bytes) : 0;
    if (!Number.isSafeInteger(count)) return { status: 'down', reason: 'the key holds something else' };
    // The last one may still be counted into by a proxy whose clock is behind.
    if (index < now - 1) known.cluster.set(index, count);
    return count;
  }
}

function countOf(reply: Reply): number | Down {
  return reply.kind === 'number' ? Number(reply.digits) : down(reply);
}

function sum(counts: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** What the cluster's count, this one included, comes to; or that there is none. */
function byCluster(counted: number | Down, limit: number): LimitOutcome {
  if (typeof counted !== 'number') return counted;
  const status = counted <= limit ? 'allowed' : 'exceeded';
  return { status, count: Math.min(counted, limit), countedBy: 'cluster' };
}

/** What this process decides alone. */
function byItself(
  counts: Map<number, number>,
  { now, limit, onDown }: { readonly now: number; readonly limit: number; readonly onDown: OnDown },
): LimitOutcome {
  const local = sum(counts);
  if (onDown === 'local' && local >= limit) return { status: 'exceeded', count: local, countedBy: 'local' };
  counts.set(now, (counts.get(now) ?? 0) + 1);
  return { status: 'allowed', count: local + 1, countedBy: onDown === 'open' ? 'nobody' : 'local' };
}
