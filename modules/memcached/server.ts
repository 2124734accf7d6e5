import { MemcacheClient } from 'memcache-client';
import type { Clock, Logger } from '../../core/index.ts';
import { Breaker } from './breaker.ts';
import type { CommandName, Reply } from './command.ts';
import { type ConnectionEnd, ServerConnection } from './connection.ts';
import { type ServerAddress, serverName } from './server-list.ts';
import { sharedLookup } from './shared-lookup.ts';
import { countReply, newStatistics, type ServerStatistics } from './statistics.ts';

/** Commands that may wait on one server; one more fails at once. */
export const MAX_PENDING_COMMANDS = 10_000;

/** Bytes that may wait on one server; a command that would go above fails at once. */
export const MAX_PENDING_BYTES = 67_108_864;

export interface ServerOptions {
  readonly address: ServerAddress;
  /** Deadline of one command, connecting included, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One server: its connection, opened when first needed and again after it broke, its breaker, its counters. */
export class CacheServer {
  readonly name: string;
  readonly statistics: ServerStatistics = newStatistics();
  readonly #options: ServerOptions;
  readonly #library: MemcacheClient;
  readonly #breaker: Breaker;
  readonly #lookup = sharedLookup();
  #connection: ServerConnection | null = null;
  #pendingCommands = 0;
  #pendingBytes = 0;
  #stopped = false;

  constructor(options: ServerOptions) {
    this.name = serverName(options.address);
    this.#options = options;
    // Holds options for its connections; as no command goes through it, it opens none of its own.
    this.#library = new MemcacheClient({ server: this.name, noDelay: true, cmdTimeout: options.timeoutMs });
    this.#breaker = new Breaker(options.clock, {
      probe: () => void this.#send('version', '', 'version\r\n', this.deadlineMs()),
      opened: (reason) =>
        options.log.warn(
          `memcached ${this.name} is down: ${reason}; operations fail at once until it answers`,
        ),
      closed: () => options.log.notice(`memcached ${this.name} answers again`),
    });
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
    this.#connection?.close('stopped');
    this.#library.shutdown();
  }

  /** Sends one command and resolves to what became of it, by `deadlineMs` at the latest. Never rejects. */
  execute(name: CommandName, key: string, bytes: string, deadlineMs: number): Promise<Reply> {
    const refusal = this.#refusal(bytes.length);
    if (refusal === null) return this.#send(name, key, bytes, deadlineMs);
    const reply: Reply = { kind: 'down', cause: 'fault', reason: `${this.name}: ${refusal}` };
    countReply(this.statistics[name], reply);
    return Promise.resolve(reply);
  }

  /** Why no command can be sent now, or null. */
  #refusal(bytes: number): string | null {
    if (this.#stopped) return 'stopped';
    if (this.#breaker.state !== 'closed') return this.#breaker.reason;
    if (this.#pendingCommands >= MAX_PENDING_COMMANDS || this.#pendingBytes + bytes > MAX_PENDING_BYTES) {
      return 'queue full';
    }
    return null;
  }

  #send(name: CommandName, key: string, bytes: string, deadlineMs: number): Promise<Reply> {
    this.#pendingCommands++;
    this.#pendingBytes += bytes.length;
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        this.#pendingCommands--;
        this.#pendingBytes -= bytes.length;
        countReply(this.statistics[name], reply);
        if (reply.kind !== 'down' && this.#breaker.state === 'probing') this.#breaker.succeeded();
        resolve(reply);
      };
      connection.submit({ name, key, bytes, deadlineMs, settle, next: null });
    });
  }

  #connect(): ServerConnection {
    const { address, clock } = this.#options;
    return new ServerConnection({
      client: this.#library,
      address,
      lookup: this.#lookup,
      clock,
      ended: (end) => this.#ended(end),
    });
  }

  /** An idle connection that ends is no fault: the next command opens another. */
  #ended(end: ConnectionEnd): void {
    this.#connection = null;
    if (end.lost && !this.#stopped) this.#breaker.failed(end.reason);
  }
}
