import { type Command, isRead, type Reply, type Unanswered } from './command.ts';
import { printLine, ReadLine } from './read-line.ts';

/** The commands of one connection that have no answer yet, in the order in which they are sent. */
export class CommandQueue {
  #oldest: Command | null = null;
  #newest: Command | null = null;
  /** The first that has not left yet; null when all have. */
  #firstUnsent: Command | null = null;
  readonly #gets = new ReadLine();
  readonly #getsLine = new ReadLine();

  /** The command that the next reply answers, with the reads that have joined it. */
  get oldest(): Command | null {
    return this.#oldest;
  }

  push(command: Command): void {
    if (!isRead(command)) {
      this.#append(command);
      return;
    }
    const line = command.name === 'get' ? this.#gets : this.#getsLine;
    if (line.join(command)) return;
    this.#append(command);
    line.begin(command);
  }

  #append(command: Command): void {
    if (this.#newest === null) this.#oldest = command;
    else this.#newest.next = command;
    this.#newest = command;
    this.#firstUnsent ??= command;
  }

  /** Takes what has not left yet, one char a byte. */
  takeUnsent(): string {
    let bytes = '';
    for (let command = this.#firstUnsent; command !== null; command = command.next)
      bytes += printLine(command);
    this.#sent();
    return bytes;
  }

  #sent(): void {
    this.#firstUnsent = null;
    this.#gets.end();
    this.#getsLine.end();
  }

  /** Settles the oldest command. Of reads that share a line each gets what has come for it; those for which nothing has, `reply`. */
  settleOldest(reply: Reply): void {
    const oldest = this.#oldest;
    if (oldest === null) return;
    this.#oldest = oldest.next;
    if (this.#oldest === null) this.#newest = null;
    // What is done must not hold what comes after it: the collector takes long over such chains.
    oldest.next = null;
    settleLine(oldest, reply);
  }

  /** When the first command fails, by the clock's time, ms; infinite when none waits. */
  earliestDeadlineMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (let first = this.#oldest; first !== null; first = first.next) {
      for (let read: Command | null = first; read !== null; read = read.more) {
        for (let twin: Command | null = read; twin !== null; twin = twin.twin) {
          dueMs = Math.min(dueMs, twin.deadlineMs);
        }
      }
    }
    return dueMs;
  }

  /** Empties the queue, and returns what settles all that was in it. */
  clear(): (reply: Unanswered) => void {
    let first = this.#oldest;
    const firstUnsent = this.#firstUnsent;
    this.#oldest = this.#newest = null;
    this.#sent();
    return (reply) => {
      let told = reply;
      for (; first !== null; first = first.next) {
        if (first === firstUnsent) told = { ...reply, sent: false };
        settleLine(first, told);
      }
    };
  }
}

/** Only at the end of an answer that is whole do its values count. */
function settleLine(first: Command, reply: Reply): void {
  for (let read: Command | null = first; read !== null; read = read.more) {
    const own = reply.kind === 'word' && read.answer !== null ? read.answer : reply;
    for (let twin: Command | null = read; twin !== null; twin = twin.twin) twin.settle(own);
  }
}
