// oxlint-disable no-underscore-dangle -- memcache-client names its hooks so
import { createConnection, type LookupFunction } from 'node:net';
import { type MemcacheClient, MemcacheConnection, Status } from 'memcache-client';
import type { Clock, Timer } from '../../core/index.ts';
import { type Command, isRefusal, mayAnswer, type Reply, type ReplyWord } from './command.ts';
import type { ServerAddress } from './server-list.ts';
import type { WireValue } from './value.ts';

/** Largest value that is read into memory, bytes; a server started with a larger -I may hold more. */
export const MAX_READ_BYTES = 1_048_576;

/** Largest item that any memcached can hold, bytes (-I, 1g): above it a length is garbage. */
const MAX_LENGTH_BYTES = 1_073_741_824;

/** Bytes of `\r\n` after a value. */
const LINE_END_BYTES = 2;

/** Why a connection ended. */
export interface ConnectionEnd {
  readonly cause: 'timeout' | 'fault';
  readonly reason: string;
  /** Whether commands were waiting on it: they have been settled as `down`. */
  readonly lost: boolean;
}

export interface ConnectionOptions {
  /** Gives memcache-client's options to the connection; it opens none itself. */
  readonly client: MemcacheClient;
  readonly address: ServerAddress;
  readonly lookup: LookupFunction;
  readonly clock: Clock;
  readonly ended: (end: ConnectionEnd) => void;
}

/**
 * One connection to one server: memcache-client's, with its parser, but strict. A reply that the oldest waiting command does not allow ends the
 * connection, as does a deadline that passes, so that no reply reaches a command it was not meant for.
 */
export class ServerConnection extends MemcacheConnection {
  readonly #options: ConnectionOptions;
  #oldest: Command | null = null;
  #newest: Command | null = null;
  /** The first command that has not left yet; null when all have. */
  #firstUnsent: Command | null = null;
  /** What leaves with the next flush, one char a byte. */
  #unsent = '';
  #flushing = false;
  /** What the parser is looking at: its first line is the one that `processCmd` gets, and has the key byte for byte. */
  #parsing: Buffer | undefined;
  /** The value of the `get` that is being answered. */
  #value: Extract<Reply, { kind: 'value' }> | null = null;
  /** Length of a value too large to read, or 0. */
  #oversize = 0;
  #skipBytes = 0;
  #timer: Timer | null = null;
  #timerDueMs = 0;
  #endCause: ConnectionEnd['cause'] = 'fault';

  constructor(options: ConnectionOptions) {
    super(options.client);
    this.#options = options;
    const fault = (message: string) => this.#fault(message);
    this.logger = { debug: ignore, info: ignore, warn: fault, error: fault };
    this.#open(options.address, options.lookup);
  }

  /** Sends a command with the others of this turn of the event loop; holds it until the connection is there. */
  submit(command: Command): void {
    if (this.#newest === null) this.#oldest = command;
    else this.#newest.next = command;
    this.#newest = command;
    this.#firstUnsent ??= command;
    this.#unsent += command.bytes;
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

  #open(address: ServerAddress, lookup: LookupFunction): void {
    const socket = createConnection(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port, lookup },
    );
    this.socket = socket;
    this._status = Status.CONNECTING;
    socket.on('error', (error) => this.#fault(errorText(error)));
    socket.once('connect', () => {
      if (this.isShutdown()) return;
      this._status = Status.READY;
      this._setupConnection(socket);
      this.#flush();
    });
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    const bytes = this.#unsent;
    this.#unsent = '';
    this.#firstUnsent = null;
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
    if (this.#oldest === null) return;
    let dueMs = Number.POSITIVE_INFINITY;
    for (let command: Command | null = this.#oldest; command !== null; command = command.next) {
      dueMs = Math.min(dueMs, command.deadlineMs);
    }
    if (dueMs > this.#options.clock.now()) {
      this.#armTimer(dueMs);
      return;
    }
    this.#endCause = 'timeout';
    this._shutdown(this.isConnecting() ? 'no connection within the timeout' : 'no answer within the timeout');
  };

  #fault(reason: string): void {
    this._shutdown(reason);
  }

  override _shutdown(reason: string): void {
    if (this.isShutdown()) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#unsent = '';
    let command = this.#oldest;
    const firstUnsent = this.#firstUnsent;
    this.#oldest = this.#newest = this.#firstUnsent = null;
    super._shutdown(reason);
    this.#options.ended({ cause: this.#endCause, reason, lost: command !== null });
    let reply: Reply = { kind: 'down', cause: this.#endCause, reason, sent: true };
    for (; command !== null; command = command.next) {
      if (command === firstUnsent) reply = { ...reply, sent: false };
      command.settle(reply);
    }
  }

  override onData(data: Buffer | undefined): void {
    try {
      super.onData(data);
    } catch (error) {
      this.#fault(`unreadable reply: ${errorText(error)}`);
    }
  }

  override _processData(data: Buffer | undefined): Buffer | undefined {
    if (this.isShutdown()) return undefined;
    if (this.#skipBytes === 0 || data === undefined) return super._processData(data);
    const skipped = Math.min(this.#skipBytes, data.length);
    this.#skipBytes -= skipped;
    return skipped === data.length ? undefined : data.subarray(skipped);
  }

  override _parseCmd(data: Buffer | undefined): Buffer | undefined {
    this.#parsing = data;
    return super._parseCmd(data);
  }

  override malformCommand(): void {
    this.#fault('empty line instead of a reply');
  }

  override malformDataStream(): void {
    this.#fault('value that does not end where it should');
  }

  /** Takes one line of a reply. Never returns 0, which would have the parser drop what follows. */
  override processCmd(tokens: string[]): number {
    const command = this.#oldest;
    const word = tokens[0] ?? '';
    if (this.isShutdown()) return 1;
    if (command === null) this.#fault('reply that no command asked for');
    else if (word === 'VALUE') this.#startValue(command, tokens);
    else if (mayAnswer(command.name, word)) this.#finish(command, word);
    else if ((command.name === 'incr' || command.name === 'decr') && isCount(tokens)) {
      this.#settle(command, { kind: 'number', digits: word });
    } else {
      const line = tokens.join(' ');
      if (isRefusal(command.name, line)) this.#settle(command, { kind: 'refused', line });
      else this.#fault(`unexpected reply to ${command.name}: ${JSON.stringify(line.slice(0, 60))}`);
    }
    return 1;
  }

  #finish(command: Command, word: ReplyWord): void {
    const value = this.#value;
    const oversize = this.#oversize;
    this.#value = null;
    this.#oversize = 0;
    if (oversize > 0) {
      this.#settle(command, {
        kind: 'refused',
        line: `value of ${oversize} bytes, more than ${MAX_READ_BYTES}`,
      });
    } else if (value !== null) this.#settle(command, value);
    else this.#settle(command, { kind: 'word', word });
  }

  /** `VALUE <key> <flags> <bytes> [<cas unique>]` (protocol.txt, "Retrieval command"). */
  #startValue(command: Command, tokens: string[]): void {
    const flags = decimal(tokens[2]);
    const length = decimal(tokens[3]);
    const isGets = command.name === 'gets';
    if (
      (command.name !== 'get' && !isGets) ||
      this.#value !== null ||
      this.#oversize > 0 ||
      !this.#isKey(command.key)
    ) {
      this.#fault('value of a key that was not asked for');
    } else if (isGets && !/^\d{1,20}$/.test(tokens[4] ?? '')) {
      this.#fault('value without a proper number for cas');
    } else if (
      flags === null ||
      length === null ||
      length > MAX_LENGTH_BYTES ||
      tokens.length !== (isGets ? 5 : 4)
    ) {
      this.#fault('value without a proper length');
    } else if (length > MAX_READ_BYTES) {
      this.#oversize = length;
      this.#skipBytes = length + LINE_END_BYTES;
    } else this.initiatePending(tokens, length);
  }

  /** Compares bytes, since the parser's tokens are UTF-8 and a key need not be. */
  #isKey(key: string): boolean {
    const start = 'VALUE '.length;
    return this.#parsing?.toString('latin1', start, start + key.length + 1) === `${key} `;
  }

  override receiveResult(result: { data?: Buffer; cmdTokens: string[] }): void {
    const [, , flags, , cas = ''] = result.cmdTokens;
    const value: WireValue = { flags: Number(flags), bytes: result.data?.toString('latin1') ?? '' };
    this.#value = { kind: 'value', value, cas };
  }

  #settle(command: Command, reply: Reply): void {
    this.#oldest = command.next;
    if (this.#oldest === null) this.#newest = null;
    command.settle(reply);
  }
}

function ignore(): void {}

function isCount(tokens: readonly string[]): boolean {
  return tokens.length === 1 && /^\d{1,20}$/.test(tokens[0] ?? '');
}

/** An unsigned number of at most ten digits, or null. */
function decimal(token: string | undefined): number | null {
  return token !== undefined && /^\d{1,10}$/.test(token) ? Number(token) : null;
}

/** An error of `connect` that tried several addresses has a code but no message. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
