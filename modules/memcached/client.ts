import type { Clock, Logger } from '../../core/index.ts';
import type { CommandName, Reply } from './command.ts';
import { wireKey } from './key.ts';
import { KetamaRing } from './ketama.ts';
import { checkedLifetime } from './lifetime.ts';
import type {
  CountOutcome,
  Down,
  ReadOutcome,
  RemoveOutcome,
  TouchOutcome,
  WriteOutcome,
} from './outcome.ts';
import { CacheServer } from './server.ts';
import type { ServerEntry } from './server-list.ts';
import type { ServerStatistics } from './statistics.ts';
import {
  type CacheValue,
  decodeInteger,
  decodeValue,
  encodeDelta,
  encodeValue,
  valueLimit,
} from './value.ts';

/** How often `count` starts over when the counter comes and goes under its hands. */
const MAX_COUNT_ROUNDS = 3;

export interface ClientOptions {
  readonly servers: readonly ServerEntry[];
  /** Default lifetime, s. */
  readonly expire: number;
  /** 0 overwrites, 1 keeps the first value. */
  readonly mode: 0 | 1;
  /** Deadline of one operation, connecting included, ms. */
  readonly timeoutMs: number;
  /** Whether every value is read as a string. */
  readonly stringify: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WriteOptions {
  /** Lifetime, s; see the parameter `expire`. */
  readonly expire?: number | undefined;
}

export interface CountOptions extends WriteOptions {
  /** What the counter starts from when it is not there; 0. */
  readonly initial?: number;
}

/** A counter that is created when it is not there. */
export interface Counter {
  /** Adds `n` and resolves to the new value; no count is lost when several proxies do so at once. */
  add(n: number | bigint, options?: CountOptions): Promise<CountOutcome>;
}

/**
 * Values and counters on one or more servers. Keys and values are checked and encoded here. Nothing rejects because of a server: the outcome says
 * what happened. What a caller got wrong (a key, value or lifetime that cannot be) rejects with a `ProxyError`.
 */
export class CacheClient {
  readonly #options: ClientOptions;
  readonly #servers: readonly CacheServer[];
  readonly #first: CacheServer;
  readonly #ring: KetamaRing | null;

  constructor(options: ClientOptions) {
    const { timeoutMs, clock, log } = options;
    this.#options = options;
    this.#servers = options.servers.map(({ address }) => new CacheServer({ address, timeoutMs, clock, log }));
    const [first] = this.#servers;
    if (first === undefined) throw new RangeError('a CacheClient needs a server');
    this.#first = first;
    this.#ring = this.#servers.length === 1 ? null : new KetamaRing(options.servers);
  }

  /** Connects to every server. A server that is down is logged and tried again later. */
  async start(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.start()));
  }

  stop(): void {
    for (const server of this.#servers) server.stop();
  }

  /** Counters by server name. */
  statistics(): Readonly<Record<string, ServerStatistics>> {
    return Object.fromEntries(this.#servers.map((server) => [server.name, server.statistics]));
  }

  async read(key: string): Promise<ReadOutcome> {
    const wire = wireKey(key);
    const reply = await this.#run('get', wire, `get ${wire}\r\n`);
    if (reply.kind === 'value') {
      return { status: 'hit', value: decodeValue(reply.value, this.#options.stringify) };
    }
    return isWord(reply, 'END') ? { status: 'miss' } : down(reply);
  }

  /** Stores a value. In mode 1 a value that is there stays. */
  async write(key: string, value: CacheValue, options: WriteOptions = {}): Promise<WriteOutcome> {
    const wire = wireKey(key);
    const { flags, bytes } = encodeValue(value, key);
    const limit = valueLimit(wire, flags);
    if (bytes.length > limit) return { status: 'too-large', size: bytes.length, limit };
    const name = this.#options.mode === 1 ? 'add' : 'set';
    const reply = await this.#store(name, wire, flags, bytes, this.#lifetime(options));
    if (isWord(reply, 'STORED')) return { status: 'stored' };
    if (isWord(reply, 'NOT_STORED')) return { status: 'exists' };
    return reply.kind === 'refused' && reply.line.startsWith('SERVER_ERROR object too large')
      ? { status: 'too-large', size: bytes.length, limit: null }
      : down(reply);
  }

  /** Adds `n` to a counter that is there. Above 2^64-1 it starts again from 0. */
  increment(key: string, n: number | bigint): Promise<CountOutcome> {
    return this.#step('incr', 'increment', key, n);
  }

  /** Takes `n` from a counter that is there. It stops at 0. */
  decrement(key: string, n: number | bigint): Promise<CountOutcome> {
    return this.#step('decr', 'decrement', key, n);
  }

  /** Gives a value another lifetime, s, counted from now. */
  async touch(key: string, expire: number): Promise<TouchOutcome> {
    const wire = wireKey(key);
    const lifetime = checkedLifetime(expire, 'touch');
    const reply = await this.#run('touch', wire, `touch ${wire} ${lifetime}\r\n`);
    if (isWord(reply, 'TOUCHED')) return { status: 'touched' };
    return isWord(reply, 'NOT_FOUND') ? { status: 'missing' } : down(reply);
  }

  async remove(key: string): Promise<RemoveOutcome> {
    const wire = wireKey(key);
    const reply = await this.#run('delete', wire, `delete ${wire}\r\n`);
    if (isWord(reply, 'DELETED')) return { status: 'removed' };
    return isWord(reply, 'NOT_FOUND') ? { status: 'missing' } : down(reply);
  }

  count(key: string): Counter {
    return { add: (n, options = {}) => this.#createOrStep(key, n, options) };
  }

  async #step(name: 'incr' | 'decr', what: string, key: string, n: number | bigint): Promise<CountOutcome> {
    const wire = wireKey(key);
    const bytes = `${name} ${wire} ${encodeDelta(n, what, key)}\r\n`;
    return countOutcome(await this.#run(name, wire, bytes));
  }

  /** incr; not there: add; there after all: incr again. All within one deadline. */
  async #createOrStep(key: string, n: number | bigint, options: CountOptions): Promise<CountOutcome> {
    const wire = wireKey(key);
    const delta = encodeDelta(n, 'count', key);
    const initial = encodeDelta(options.initial ?? 0, 'count', key);
    const first = BigInt.asUintN(64, BigInt(delta) + BigInt(initial)).toString();
    const lifetime = this.#lifetime(options);
    const deadlineMs = this.#serverOf(wire).deadlineMs();
    for (let round = 0; round < MAX_COUNT_ROUNDS; round++) {
      const counted = countOutcome(await this.#run('incr', wire, `incr ${wire} ${delta}\r\n`, deadlineMs));
      if (counted.status !== 'missing') return counted;
      const added = await this.#store('add', wire, 0, first, lifetime, deadlineMs);
      if (isWord(added, 'STORED')) return { status: 'done', value: decodeInteger(first) };
      if (!isWord(added, 'NOT_STORED')) return down(added);
    }
    return { status: 'down', reason: 'the counter was removed each time it was there' };
  }

  #lifetime({ expire }: WriteOptions): number {
    return expire === undefined ? this.#options.expire : checkedLifetime(expire, 'expire');
  }

  #store(
    name: 'set' | 'add',
    wire: string,
    flags: number,
    bytes: string,
    lifetime: number,
    deadlineMs?: number,
  ): Promise<Reply> {
    const command = `${name} ${wire} ${flags} ${lifetime} ${bytes.length}\r\n${bytes}\r\n`;
    return this.#run(name, wire, command, deadlineMs);
  }

  #run(name: CommandName, wire: string, bytes: string, deadlineMs?: number): Promise<Reply> {
    const server = this.#serverOf(wire);
    return server.execute(name, wire, bytes, deadlineMs ?? server.deadlineMs());
  }

  #serverOf(wire: string): CacheServer {
    return this.#ring === null ? this.#first : (this.#servers[this.#ring.serverOf(wire)] ?? this.#first);
  }
}

function isWord(reply: Reply, word: string): boolean {
  return reply.kind === 'word' && reply.word === word;
}

function countOutcome(reply: Reply): CountOutcome {
  if (reply.kind === 'number') return { status: 'done', value: decodeInteger(reply.digits) };
  if (isWord(reply, 'NOT_FOUND')) return { status: 'missing' };
  return reply.kind === 'refused' && reply.line.startsWith('CLIENT_ERROR')
    ? { status: 'not-a-number' }
    : down(reply);
}

function down(reply: Reply): Down {
  if (reply.kind === 'down') return { status: 'down', reason: reply.reason };
  const said = reply.kind === 'refused' ? reply.line : `unexpected ${reply.kind}`;
  return { status: 'down', reason: `the server answered: ${said}` };
}
