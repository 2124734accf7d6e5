import { MemcacheClient } from 'memcache-client';
import type { Clock, Logger } from '../../core/index.ts';
import { type Access, OPEN_ACCESS } from './access.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { type CommandName, isOutOfMemory, newCommand, type Reply } from './command.ts';
import { type ConnectionEnd, ServerConnection } from './connection.ts';
import { Journal } from './journal.ts';
import { type ServerAddress, serverName } from './server-list.ts';
import type { SlowLog } from './slow-log.ts';
import { sharedLookup } from './shared-lookup.ts';
import {
  type CommandCounters,
  type CommandStatistics,
  countReply,
  newStatistics,
  type ServerStatistics,
} from './statistics.ts';

/** Commands that may wait on one server; one more fails at once. */
export const MAX_PENDING_COMMANDS = 10_000;

/** Bytes that may wait on one server; a command that would go above fails at once. */
export const MAX_PENDING_BYTES = 67_108_864;

/** Shortest time between two lines of the log about what a server that answers will not do, ms. */
const TELL_EVERY_MS = 60_000;

/** How often a delete that is kept may be sent and not answered: one that the server never answers would take it for down each time. */
const MAX_UNANSWERED = 5;

export interface ServerOptions {
  readonly address: ServerAddress;
  /** What it is called in logs and statistics; left out: by its address. */
  readonly name?: string | undefined;
  /** What it takes to be let in; left out: nothing. */
  readonly access?: Access | undefined;
  /** Deadline of one command, connecting included, ms. */
  readonly timeoutMs: number;
  /** Releases that are kept while the server does not answer; 0, the default: none. */
  readonly journal?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of operations that took long; left out: none are logged. */
  readonly slowLog?: SlowLog | undefined;
}

/** A command that gives something back. */
interface Release {
  readonly name: 'decr' | 'delete';
  readonly key: string;
  readonly bytes: string;
}

/** What became of a release. */
export interface Released {
  readonly reply: Reply;
  /** Whether it waits in the journal. */
  readonly kept: boolean;
}

/** One server: its connection, opened when first needed and again after it broke, its breaker, its journal, its counters. */
export class CacheServer {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #options: ServerOptions;
  readonly #library: MemcacheClient;
  readonly #breaker: Breaker;
  readonly #counters: CommandCounters = newStatistics();
  readonly #journal: Journal;
  readonly #lookup = sharedLookup();
  #connection: ServerConnection | null = null;
  #pendingCommands = 0;
  #pendingBytes = 0;
  #stopped = false;
  /** Bytes received on connections that have ended. */
  #receivedBefore = 0;
  #outages = 0;
  #toldRefusalMs = Number.NEGATIVE_INFINITY;
  #returned: () => void = () => {};

  constructor(options: ServerOptions) {
    this.name = options.name ?? serverName(options.address);
    this.timeoutMs = options.timeoutMs;
    this.#options = options;
    this.#journal = new Journal({
      limit: options.journal ?? 0,
      clock: options.clock,
      log: options.log,
      server: this.name,
      isUp: () => !this.#stopped && this.#breaker.state === 'closed',
    });
    // Holds options for its connections; as no command goes through it, it opens none of its own.
    this.#library = new MemcacheClient({ server: this.name, noDelay: true, cmdTimeout: options.timeoutMs });
    this.#breaker = new Breaker(options.clock, {
      probe: () => void this.#send('version', '', 'version\r\n', this.deadlineMs()),
      opened: (reason) => {
        this.#outages++;
        options.log.warn(
          `memcached ${this.name} is down: ${reason}; operations fail at once until it answers`,
        );
      },
      closed: () => {
        options.log.notice(`memcached ${this.name} answers again`);
        // Before anything else can be sent: what is asked for from now on comes after what was kept.
        this.#journal.replay();
        this.#returned();
      },
    });
  }

  get statistics(): ServerStatistics {
    return { ...this.#counters, journal: this.#journal.statistics };
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  /** How often the breaker has opened. */
  get outages(): number {
    return this.#outages;
  }

  /** What the server has sent, bytes. */
  get receivedBytes(): number {
    return this.#receivedBefore + (this.#connection?.socket?.bytesRead ?? 0);
  }

  /** Commands that wait for their answer. */
  get pending(): number {
    return this.#pendingCommands;
  }

  /** Has `returned` called whenever the server may have lost its memory: when it answers again, and when an idle connection has ended. */
  onReturn(returned: () => void): void {
    this.#returned = returned;
  }

  /** When a command sent now has to be answered, by the clock's time, ms. */
  deadlineMs(): number {
    return this.#options.clock.now() + this.#options.timeoutMs;
  }

  /** Connects. Resolves to whether the server answered in time; it is tried again anyway. */
  async start(): Promise<boolean> {
    this.#stopped = false;
    const reply = await this.execute('version', '', 'version\r\n', this.deadlineMs());
    return reply.kind === 'word';
  }

  /** Ends the connection. Commands that wait are answered `down`, and so are later ones. */
  stop(): void {
    this.#stopped = true;
    this.#breaker.stop();
    this.#journal.stop();
    this.#connection?.close('stopped');
    this.#library.shutdown();
  }

  /**
   * Sends one command and resolves to what became of it, by `deadlineMs` at the latest. Never rejects. `startedMs` is when its time began,
   * where that is not when its deadline was made.
   */
  execute(
    name: CommandName,
    key: string,
    bytes: string,
    deadlineMs: number,
    startedMs: number = deadlineMs - this.timeoutMs,
  ): Promise<Reply> {
    const refusal = this.#refusal(bytes.length, 0);
    return this.#sendUnless(refusal, name, key, bytes, deadlineMs, startedMs);
  }

  #sendUnless(
    refusal: string | null,
    name: CommandName,
    key: string,
    bytes: string,
    deadlineMs: number,
    startedMs: number = deadlineMs - this.timeoutMs,
  ): Promise<Reply> {
    if (refusal === null) return this.#send(name, key, bytes, deadlineMs, startedMs);
    const reply: Reply = { kind: 'down', cause: 'fault', reason: `${this.name}: ${refusal}`, sent: false };
    countReply(this.#counters[name], reply);
    return Promise.resolve(reply);
  }

  /**
   * Sends a command that gives something back. One that certainly was not carried out is kept in the journal and sent later; so is a `delete`
   * in doubt, which does no harm twice; a `decr` in doubt is counted. As many releases as the journal takes may wait above the bound of other
   * commands: kept until later, they would come behind what was asked for after them.
   */
  async release(name: 'decr' | 'delete', key: string, bytes: string): Promise<Released> {
    const refusal = this.#refusal(bytes.length, this.#options.journal ?? 0);
    const reply = await this.#sendUnless(refusal, name, key, bytes, this.deadlineMs());
    return { reply, kept: this.#keepRelease({ name, key, bytes }, reply) };
  }

  /** Keeps a release for when the server takes it; `send` sends it then. False when there is no room. */
  keep(send: () => void): boolean {
    return !this.#stopped && this.#journal.keep(send);
  }

  /** `unanswered`: how often it was sent before, and not answered. */
  #keepRelease(release: Release, reply: Reply, unanswered = 0): boolean {
    if (reply.kind !== 'down' && !isOutOfMemory(reply)) return false;
    const { name, key, bytes } = release;
    const times = reply.kind === 'down' && reply.sent ? unanswered + 1 : unanswered;
    if (times === (name === 'decr' ? 1 : MAX_UNANSWERED)) {
      this.#journal.doubt();
      return false;
    }
    return this.keep(() => {
      void this.#send(name, key, bytes, this.deadlineMs()).then((again) =>
        this.#keepRelease(release, again, times),
      );
    });
  }

  /** Why no command can be sent now, or null. */
  #refusal(bytes: number, moreCommands: number): string | null {
    if (this.#stopped) return 'stopped';
    if (this.#breaker.state !== 'closed') return this.#breaker.reason;
    if (
      this.#pendingCommands >= MAX_PENDING_COMMANDS + moreCommands ||
      this.#pendingBytes + bytes > MAX_PENDING_BYTES
    ) {
      return 'queue full';
    }
    return null;
  }

  #send(
    name: CommandName,
    key: string,
    bytes: string,
    deadlineMs: number,
    startedMs: number = deadlineMs - this.timeoutMs,
  ): Promise<Reply> {
    const counters = this.#counters[name];
    counters.sentBytes += bytes.length;
    this.#pendingCommands++;
    this.#pendingBytes += bytes.length;
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        this.#pendingCommands--;
        this.#pendingBytes -= bytes.length;
        countReply(counters, reply);
        this.#timed(counters, name, key, this.#options.clock.now() - startedMs);
        if (reply.kind !== 'down' && this.#breaker.state === 'probing') this.#breaker.succeeded();
        if (reply.kind === 'refused') this.#refused(reply.line);
        resolve(reply);
      };
      connection.submit(newCommand({ name, key, bytes, deadlineMs, settle }));
    });
  }

  /** A server out of memory keeps no state and no limit of calls, and looks well. */
  #refused(line: string): void {
    const { clock, log } = this.#options;
    if (!line.startsWith('SERVER_ERROR') || clock.now() - this.#toldRefusalMs < TELL_EVERY_MS) return;
    this.#toldRefusalMs = clock.now();
    log.warn(`memcached ${this.name} refuses what it is asked: ${line}; said once a minute`);
  }

  #timed({ latency }: CommandStatistics, operation: CommandName, key: string, ms: number): void {
    latency.observe(ms / 1000);
    const { slowLog } = this.#options;
    if (slowLog !== undefined && ms >= slowLog.thresholdMs)
      slowLog.note({ operation, server: this.name, key, ms });
  }

  #connect(): ServerConnection {
    const { address, access = OPEN_ACCESS, clock } = this.#options;
    return new ServerConnection({
      client: this.#library,
      address,
      access,
      lookup: this.#lookup,
      timeoutMs: this.timeoutMs,
      clock,
      ended: (end) => this.#ended(end),
    });
  }

  /** An idle connection that ends is no fault: the next command opens another. */
  #ended(end: ConnectionEnd): void {
    this.#receivedBefore = this.receivedBytes;
    this.#connection = null;
    if (this.#stopped) return;
    if (end.lost) this.#breaker.failed(end.reason, end.refused);
    else this.#returned();
  }
}
