// oxlint-disable no-underscore-dangle -- memcache-client names its hooks so
import { MemcacheConnection } from 'memcache-client';
import { type Command, countReplied, isRead, isRefusal, type Reply, wordReply } from './command.ts';
import { CommandQueue } from './command-queue.ts';
import { errorText } from './dial.ts';

/** Largest value that is read into memory, bytes; a server started with a larger -I may hold more. */
export const MAX_READ_BYTES = 1_048_576;

/** Largest item that any memcached can hold, bytes (-I, 1g): above it a length is garbage. */
const MAX_LENGTH_BYTES = 1_073_741_824;

const CR = 0x0d;
const LF = 0x0a;
/** Bytes of `\r\n`. */
const LINE_END_BYTES = 2;

/** `VALUE <key> <flags> <bytes> [<cas unique>]` (protocol.txt, "Retrieval command"): what follows the key. */
const VALUE_REST = /^(\d{1,10}) (\d{1,10})(?: (\d{1,20}))?$/;
const VALUE = 'VALUE ';

/** What the line before a value says of it. */
interface ValueHead {
  readonly read: Command;
  readonly flags: number;
  readonly length: number;
  readonly cas: string;
}

/**
 * The reading half of a connection: memcache-client's, which puts values and lines together that come in pieces, but strict. A reply that the
 * oldest waiting command does not allow is a fault, so that no reply reaches a command it was not meant for.
 */
export abstract class ReplyReader extends MemcacheConnection {
  protected readonly queue = new CommandQueue();
  /** The read whose value is likely to come next: mostly they come in the order of the line. */
  #expected: Command | null = null;
  /** The value that is coming. */
  #head: ValueHead | null = null;
  /** Bytes of a value too large to read that are still to come. */
  #skipBytes = 0;

  /** Ends the connection. */
  protected abstract fault(reason: string): void;

  /** Takes bytes from a buffer that is used again. */
  protected receive(bytes: Buffer): void {
    this.onData(bytes);
    if (this._partialData !== undefined) this._partialData = Buffer.from(this._partialData);
  }

  override onData(data: Buffer | undefined): void {
    try {
      super.onData(data);
    } catch (error) {
      this.fault(`unreadable reply: ${errorText(error)}`);
    }
  }

  override _processData(data: Buffer | undefined): Buffer | undefined {
    if (this.isShutdown()) return undefined;
    if (this.#skipBytes === 0 || data === undefined) return super._processData(data);
    const skipped = Math.min(this.#skipBytes, data.length);
    this.#skipBytes -= skipped;
    return skipped === data.length ? undefined : data.subarray(skipped);
  }

  /** Takes whole lines, and the values that came whole with them. Returns what is left when the rest of a value is to come, or to be skipped. */
  override _parseCmd(data: Buffer): Buffer | undefined {
    let start = 0;
    while (start < data.length && !this.isShutdown()) {
      const end = lineEnd(data, start);
      if (end === -1) {
        this._partialData = data.subarray(start);
        return undefined;
      }
      this.#line(data.latin1Slice(start, end));
      start = end + LINE_END_BYTES;
      if (this.#head !== null) start = this.#value(data, start, this.#head);
      if (this._pending !== undefined) return this._copyPending(data.subarray(start));
      if (this.#skipBytes > 0) return start === data.length ? undefined : data.subarray(start);
    }
    return undefined;
  }

  override malformDataStream(): void {
    this.fault('value that does not end where it should');
  }

  #line(line: string): void {
    const command = this.queue.oldest;
    if (command === null) this.fault('reply that no command asked for');
    else if (line.startsWith(VALUE)) this.#valueLine(command, line);
    else {
      const reply = wordReply(command.name, line) ?? countReplied(command.name, line);
      if (reply !== null) this.#settle(reply);
      else if (isRefusal(command.name, line)) this.#settle({ kind: 'refused', line });
      else if (line === '') this.fault('empty line instead of a reply');
      else this.fault(`unexpected reply to ${command.name}: ${JSON.stringify(line.slice(0, 60))}`);
    }
  }

  #settle(reply: Reply): void {
    this.#expected = null;
    this.queue.settleOldest(reply);
  }

  #valueLine(command: Command, line: string): void {
    const keyEnd = line.indexOf(' ', VALUE.length);
    const read = isRead(command) ? this.#asked(command, line.slice(VALUE.length, keyEnd)) : null;
    if (read === null) {
      this.fault('value of a key that was not asked for');
      return;
    }
    this.#expected = read.more;
    const [, flags, digits, cas] = VALUE_REST.exec(line.slice(keyEnd + 1)) ?? [];
    const length = Number(digits);
    if (digits === undefined || length > MAX_LENGTH_BYTES) this.fault('value without a proper length');
    else if ((cas !== undefined) !== (command.name === 'gets')) {
      this.fault('value without a proper number for cas');
    } else if (length > MAX_READ_BYTES) {
      read.answer = { kind: 'refused', line: `value of ${length} bytes, more than ${MAX_READ_BYTES}` };
      this.#skipBytes = length + LINE_END_BYTES;
    } else this.#head = { read, flags: Number(flags), length, cas: cas ?? '' };
  }

  /** The read of a line that asks for a key and has no answer yet. */
  #asked(first: Command, key: string): Command | null {
    return unanswered(this.#expected ?? first, key) ?? unanswered(first, key);
  }

  /** Takes the value that begins there when all of it has come; otherwise has the library put it together. Returns where to go on. */
  #value(data: Buffer, start: number, { length }: ValueHead): number {
    const end = start + length;
    if (end + LINE_END_BYTES > data.length) {
      this.initiatePending([VALUE], length);
      return start;
    }
    if (data[end] === CR && data[end + 1] === LF) this.#answer(data.latin1Slice(start, end));
    else this.malformDataStream();
    return end + LINE_END_BYTES;
  }

  /** Called with a value that came in pieces. */
  override receiveResult({ data }: { data?: Buffer }): void {
    this.#answer(data?.toString('latin1') ?? '');
  }

  #answer(bytes: string): void {
    if (this.#head === null) return;
    const { read, flags, cas } = this.#head;
    this.#head = null;
    read.answer = { kind: 'value', value: { flags, bytes }, cas };
  }
}

function unanswered(first: Command, key: string): Command | null {
  for (let read: Command | null = first; read !== null; read = read.more) {
    if (read.answer === null && read.key === key) return read;
  }
  return null;
}

/** Where the line that begins at `start` ends, before its `\r\n`; -1 when its end has not come. */
function lineEnd(data: Buffer, start: number): number {
  for (let at = start + 1; at < data.length; at++) if (data[at] === LF && data[at - 1] === CR) return at - 1;
  return -1;
}
