import type { Commands, StoreCommand } from './commands.ts';

/** Longest line, bytes; a `get` with its keys may be longer (memcached closes such a connection as well). */
export const MAX_LINE_BYTES = 2048;
export const MAX_GET_LINE_BYTES = 65_536;

const NEWLINE = 0x0a;

/** What a session does to its socket. */
export interface SessionSocket {
  /** Bytes, one char each. */
  write(bytes: string): void;
  end(): void;
}

/** One client of the embedded store: cuts what it sends into lines and blocks of data, and writes the answers. */
export class Session {
  readonly #commands: Commands;
  readonly #socket: SessionSocket;
  #received: Buffer = Buffer.alloc(0);
  #awaiting: StoreCommand | null = null;
  #swallow = 0;
  #ended = false;

  constructor(commands: Commands, socket: SessionSocket) {
    this.#commands = commands;
    this.#socket = socket;
  }

  /** Takes what has come; writes all answers at once. */
  receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let answers = '';
    for (let text = this.#next(); text !== null; text = this.#next()) answers += text;
    if (answers !== '') this.#socket.write(answers);
    if (this.#ended) this.#socket.end();
  }

  /** The answer to the next complete line or block; null when there is none. */
  #next(): string | null {
    if (this.#ended || this.#received.length === 0) return null;
    if (this.#swallow > 0) {
      const swallowed = Math.min(this.#swallow, this.#received.length);
      this.#swallow -= swallowed;
      this.#received = this.#received.subarray(swallowed);
      return '';
    }
    return this.#awaiting === null ? this.#nextLine() : this.#nextBlock(this.#awaiting);
  }

  #nextLine(): string | null {
    const end = this.#received.indexOf(NEWLINE);
    if (end === -1) {
      if (this.#received.length > this.#lineLimit()) this.#ended = true;
      return null;
    }
    const line = this.#received.toString('latin1', 0, end);
    this.#received = this.#received.subarray(end + 1);
    const result = this.#commands.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    switch (result.kind) {
      case 'answer':
        return result.text;
      case 'data':
        this.#awaiting = result.command;
        return '';
      case 'swallow':
        this.#swallow = result.length;
        return result.text;
      case 'quit':
        break;
    }
    this.#ended = true;
    return null;
  }

  #lineLimit(): number {
    const start = this.#received.toString('latin1', 0, 5);
    return start.startsWith('get ') || start === 'gets ' ? MAX_GET_LINE_BYTES : MAX_LINE_BYTES;
  }

  #nextBlock(command: StoreCommand): string | null {
    const { length } = command;
    if (this.#received.length < length + 2) return null;
    const block = this.#received.toString('latin1', 0, length + 2);
    this.#received = this.#received.subarray(length + 2);
    this.#awaiting = null;
    if (block.endsWith('\r\n')) return this.#commands.store(command, block.slice(0, -2));
    return command.noreply ? '' : 'CLIENT_ERROR bad data chunk\r\n';
  }
}
