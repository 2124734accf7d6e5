import { type Clock, encodeText, type Logger } from '../../core/index.ts';
import type { CommandName, Reply, ReplyWord, Unanswered } from './command.ts';
import { wireKey } from './key.ts';
import { KetamaRing } from './ketama.ts';
import { checkedLifetime, hasPassed } from './lifetime.ts';
import type {
  CountOutcome,
  Down,
  ReadOutcome,
  RemoveOutcome,
  TouchOutcome,
  WriteOutcome,
} from './outcome.ts';
import { type Bounds, outOfPatience, waitWithin } from './patience.ts';
import { CacheServer, type Released, type ServerOptions } from './server.ts';
import type { ServerEntry } from './server-list.ts';
import type { SlowLog } from './slow-log.ts';
import type { ServerStatistics } from './statistics.ts';
import {
  type CacheValue,
  decodeInteger,
  decodeValue,
  encodeDelta,
  encodeValue,
  valueLimit,
  type WireValue,
} from './value.ts';

/** How often `count` starts over when the counter comes and goes under its hands. */
const MAX_COUNT_ROUNDS = 3;

/** A server, and what a client needs to know of it besides. */
export interface ClientServer extends ServerEntry, Pick<ServerOptions, 'access' | 'name'> {}

export interface ClientOptions {
  readonly servers: readonly ClientServer[];
  /** Stands before every key; left out: nothing. */
  readonly prefix?: string;
  /** Default lifetime, s. */
  readonly expire: number;
  /** 0 overwrites, 1 keeps the first value. */
  readonly mode: 0 | 1;
  /** Deadline of one operation, connecting included, ms. */
  readonly timeoutMs: number;
  /** Releases that are kept for each server while it does not answer; 0, the default: none. */
  readonly journal?: number;
  /** Whether every value is read as a string. */
  readonly stringify: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of operations that took long; left out: none are logged. */
  readonly slowLog?: SlowLog | undefined;
}

export interface WriteOptions extends Bounds {
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
  readonly #prefix: string;
  #toldPassed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#prefix = encodeText(options.prefix ?? '');
    this.#servers = options.servers.map(
      ({ address, access, name }) => new CacheServer({ ...options, address, access, name }),
    );
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

  async read(key: string, bounds: Bounds = {}): Promise<ReadOutcome> {
    const wire = this.wireKey(key);
    const reply = await this.#run('get', wire, `get ${wire}\r\n`, bounds);
    if (reply.kind === 'value') {
      return { status: 'hit', value: decodeValue(reply.value, this.#options.stringify) };
    }
    return isWord(reply, 'END') ? { status: 'miss' } : down(reply);
  }

  /** Stores a value. In mode 1 a value that is there stays. */
  async write(key: string, value: CacheValue, options: WriteOptions = {}): Promise<WriteOutcome> {
    const wire = this.wireKey(key);
    const { flags, bytes } = encodeValue(value, key);
    const limit = valueLimit(wire, flags);
    if (bytes.length > limit) return { status: 'too-large', size: bytes.length, limit };
    const name = this.#options.mode === 1 ? 'add' : 'set';
    const command = storeCommand(name, wire, { flags, bytes }, this.#lifetime(options));
    const reply = await this.#run(name, wire, command, options);
    if (isWord(reply, 'STORED')) return { status: 'stored' };
    if (isWord(reply, 'NOT_STORED')) return { status: 'exists' };
    return reply.kind === 'refused' && reply.line.startsWith('SERVER_ERROR object too large')
      ? { status: 'too-large', size: bytes.length, limit: null }
      : down(reply);
  }

  /** Adds `n` to a counter that is there. Above 2^64-1 it starts again from 0. */
  async increment(key: string, n: number | bigint, bounds: Bounds = {}): Promise<CountOutcome> {
    const wire = this.wireKey(key);
    const bytes = `incr ${wire} ${encodeDelta(n, 'increment', key)}\r\n`;
    return countOutcome(await this.#run('incr', wire, bytes, bounds));
  }

  /** Takes `n` from a counter that is there. It stops at 0. What certainly did not reach the server is kept in the journal. */
  async decrement(key: string, n: number | bigint, bounds: Bounds = {}): Promise<CountOutcome> {
    const wire = this.wireKey(key);
    const bytes = `decr ${wire} ${encodeDelta(n, 'decrement', key)}\r\n`;
    const { reply, kept } = await this.#release('decr', wire, bytes, bounds);
    return kept ? journaled(reply) : countOutcome(reply);
  }

  /** Gives a value another lifetime, s, counted from now. */
  async touch(key: string, expire: number, bounds: Bounds = {}): Promise<TouchOutcome> {
    const wire = this.wireKey(key);
    const lifetime = checkedLifetime(expire, 'touch');
    const reply = await this.#run('touch', wire, `touch ${wire} ${lifetime}\r\n`, bounds);
    if (isWord(reply, 'TOUCHED')) return { status: 'touched' };
    return isWord(reply, 'NOT_FOUND') ? { status: 'missing' } : down(reply);
  }

  /** Deletes a key. What was not answered is kept in the journal. */
  async remove(key: string, bounds: Bounds = {}): Promise<RemoveOutcome> {
    const wire = this.wireKey(key);
    const { reply, kept } = await this.#release('delete', wire, `delete ${wire}\r\n`, bounds);
    if (kept) return journaled(reply);
    if (isWord(reply, 'DELETED')) return { status: 'removed' };
    return isWord(reply, 'NOT_FOUND') ? { status: 'missing' } : down(reply);
  }

  count(key: string): Counter {
    return { add: (n, options = {}) => this.#createOrStep(key, n, options) };
  }

  /** A key as it stands on the wire. @throws ERR_MEMCACHED_KEY */
  wireKey(key: string): string {
    return wireKey(key, this.#prefix);
  }

  /** The server that keeps a key, as it stands on the wire. */
  serverOf(wire: string): CacheServer {
    return this.#ring === null ? this.#first : (this.#servers[this.#ring.serverOf(wire)] ?? this.#first);
  }

  get servers(): readonly CacheServer[] {
    return this.#servers;
  }

  /** incr; not there: add; there after all: incr again. All within one deadline. */
  async #createOrStep(key: string, n: number | bigint, options: CountOptions): Promise<CountOutcome> {
    const wire = this.wireKey(key);
    const delta = encodeDelta(n, 'count', key);
    const initial = encodeDelta(options.initial ?? 0, 'count', key);
    const first = BigInt.asUintN(64, BigInt(delta) + BigInt(initial)).toString();
    const add = storeCommand('add', wire, { flags: 0, bytes: first }, this.#lifetime(options));
    const incr = `incr ${wire} ${delta}\r\n`;
    const deadlineMs = this.serverOf(wire).deadlineMs();
    for (let round = 0; round < MAX_COUNT_ROUNDS; round++) {
      const counted = countOutcome(await this.#run('incr', wire, incr, options, deadlineMs));
      if (counted.status !== 'missing') return counted;
      const added = await this.#run('add', wire, add, options, deadlineMs);
      if (isWord(added, 'STORED')) return { status: 'done', value: decodeInteger(first) };
      if (!isWord(added, 'NOT_STORED')) return down(added);
    }
    return { status: 'down', reason: 'the counter was removed each time it was there' };
  }

  /** The default is passed on even when it is a Unix time that has come to pass, as Kamailio does; the log says so once. */
  #lifetime({ expire }: WriteOptions): number {
    if (expire !== undefined) return checkedLifetime(expire, 'expire');
    const { expire: usual, log } = this.#options;
    if (!this.#toldPassed && hasPassed(usual)) {
      this.#toldPassed = true;
      log.warn(
        `memcached.expire, ${usual}, is a Unix time that has passed: values without a lifetime of their own are gone as soon as they are stored, and counters start anew with each add. Said once.`,
      );
    }
    return usual;
  }

  #run(name: CommandName, wire: string, bytes: string, bounds: Bounds, deadlineMs?: number): Promise<Reply> {
    const server = this.serverOf(wire);
    const early = outOfPatience(bounds);
    if (early !== null) return Promise.resolve(unanswered(early, false));
    const running =
      deadlineMs === undefined
        ? server.execute(name, wire, bytes, server.deadlineMs())
        : server.execute(name, wire, bytes, deadlineMs, this.#options.clock.now());
    return this.#within(running, bounds, notAnswered);
  }

  /** A release is sent even when the budget is used up: only the waiting for its answer is not. */
  #release(name: 'decr' | 'delete', wire: string, bytes: string, bounds: Bounds): Promise<Released> {
    if (bounds.signal?.aborted === true) return Promise.resolve(releaseGivenUp('aborted'));
    return this.#within(this.serverOf(wire).release(name, wire, bytes), bounds, releaseGivenUp);
  }

  #within<T>(running: Promise<T>, { signal, budget }: Bounds, givenUp: (reason: string) => T): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    // What most come to: time enough for the operation, and no signal.
    if (signal === undefined && (budget === undefined || budget.leftMs >= timeoutMs)) {
      return budget === undefined ? running : budget.spend(running);
    }
    return waitWithin(running, { signal, budget, clock, endsInMs: timeoutMs, givenUp });
  }
}

function unanswered(reason: string, sent: boolean): Unanswered {
  return { kind: 'down', cause: 'timeout', reason, sent };
}

function notAnswered(reason: string): Unanswered {
  return unanswered(reason, true);
}

function releaseGivenUp(reason: string): Released {
  return { reply: unanswered(reason, true), kept: false };
}

function journaled(reply: Reply): Down {
  return { ...down(reply), journaled: true };
}

/** A command that stores a value. */
export function storeCommand(
  name: 'set' | 'add',
  wire: string,
  { flags, bytes }: WireValue,
  lifetimeS: number,
): string {
  return `${name} ${wire} ${flags} ${lifetimeS} ${bytes.length}\r\n${bytes}\r\n`;
}

/** Whether a reply is this word. */
export function isWord(reply: Reply, word: ReplyWord): boolean {
  return reply.kind === 'word' && reply.word === word;
}

function countOutcome(reply: Reply): CountOutcome {
  if (reply.kind === 'number') return { status: 'done', value: decodeInteger(reply.digits) };
  if (isWord(reply, 'NOT_FOUND')) return { status: 'missing' };
  return reply.kind === 'refused' && reply.line.startsWith('CLIENT_ERROR')
    ? { status: 'not-a-number' }
    : down(reply);
}

/** What a reply that says nothing comes to. */
export function down(reply: Reply): Down {
  if (reply.kind === 'down') return { status: 'down', reason: reply.reason };
  const said = reply.kind === 'refused' ? reply.line : `unexpected ${reply.kind}`;
  return { status: 'down', reason: `the server answered: ${said}` };
}
