// oxlint-disable no-underscore-dangle -- memcache-client names its hooks so
import type { LookupFunction } from 'node:net';
import { type MemcacheClient, Status } from 'memcache-client';
import type { Clock, Timer } from '../../core/index.ts';
import type { Access } from './access.ts';
import type { Command } from './command.ts';
import { Dial } from './dial.ts';
import { ReplyReader } from './reply-reader.ts';
import type { ServerAddress } from './server-list.ts';

/** Why a connection ended. */
export interface ConnectionEnd {
  readonly cause: 'timeout' | 'fault';
  readonly reason: string;
  /** Whether the server does not let this client in, and will not soon. */
  readonly refused: boolean;
  /** Whether commands were waiting on it: they have been settled as `down`. */
  readonly lost: boolean;
}

export interface ConnectionOptions {
  /** Gives memcache-client's options to the connection; it opens none itself. */
  readonly client: MemcacheClient;
  readonly address: ServerAddress;
  readonly access: Access;
  readonly lookup: LookupFunction;
  /** Deadline of a command, connecting included, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly ended: (end: ConnectionEnd) => void;
}

/**
 * One connection to one server. It ends with the first deadline that passes, as with the first reply that does not fit: what comes later could
 * not be told apart.
 */
export class ServerConnection extends ReplyReader {
  readonly #options: ConnectionOptions;
  #flushing = false;
  #timer: Timer | null = null;
  #timerDueMs = 0;
  #endCause: ConnectionEnd['cause'] = 'fault';
  #refused = false;
  readonly #dial: Dial;

  constructor(options: ConnectionOptions) {
    super(options.client);
    this.#options = options;
    const fault = (message: string) => this.fault(message);
    this.logger = { debug: ignore, info: ignore, warn: fault, error: fault };
    this._status = Status.CONNECTING;
    this.#dial = this.#open(options);
    this.socket = this.#dial.socket;
  }

  /** Sends a command with the others of this turn of the event loop; holds it until the connection is there. */
  submit(command: Command): void {
    this.queue.push(command);
    if (!this.#flushing && this.isReady()) {
      this.#flushing = true;
      setImmediate(this.#flush);
    }
    if (this.#timer === null || command.deadlineMs < this.#timerDueMs) this.#armTimer(command.deadlineMs);
  }

  /** Ends the connection; what waits on it is settled as `down`. */
  close(reason: string): void {
    this._shutdown(reason);
  }

  #open({ address, access, lookup, timeoutMs }: ConnectionOptions): Dial {
    return new Dial({
      address,
      access,
      lookup,
      timeoutMs,
      received: (bytes) => this.receive(bytes),
      opened: (socket) => {
        if (this.isShutdown()) return;
        this._status = Status.READY;
        this._setupConnection(socket);
        this.#flush();
      },
      failed: (reason, refused) => {
        this.#refused = refused;
        this.fault(reason);
      },
    });
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    const bytes = this.queue.takeUnsent();
    if (bytes !== '') this.socket?.write(bytes, 'latin1');
  };

  #armTimer(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#options.clock.setTimer(dueMs - this.#options.clock.now(), () => {
      // One more look at the socket first: when this process was held up, the replies are there to be read.
      setImmediate(this.#checkDeadlines);
    });
  }

  readonly #checkDeadlines = (): void => {
    this.#timer = null;
    const dueMs = this.queue.earliestDeadlineMs();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (dueMs > this.#options.clock.now()) {
      this.#armTimer(dueMs);
      return;
    }
    this.#endCause = 'timeout';
    this._shutdown(`no ${this.#dial.stage} within the timeout`);
  };

  protected override fault(reason: string): void {
    this._shutdown(reason);
  }

  override _shutdown(reason: string): void {
    if (this.isShutdown()) return;
    this.#timer?.cancel();
    this.#timer = null;
    const lost = this.queue.oldest !== null;
    const settleAll = this.queue.clear();
    super._shutdown(reason);
    this.#options.ended({ cause: this.#endCause, reason, refused: this.#refused, lost });
    settleAll({ kind: 'down', cause: this.#endCause, reason, sent: true });
  }
}

function ignore(): void {}
