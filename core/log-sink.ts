import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';

/** Lines that wait for a slow terminal, disk or pipe, in bytes; beyond it lines are dropped and counted. */
export const MAX_WAITING_BYTES = 1_048_576;

/** How long `close` waits for what is still to be written, ms. */
const CLOSE_TIMEOUT_MS = 1000;

interface SinkOptions {
  /** Opens the stream that is written to; called again after it broke. */
  readonly open: () => Writable;
  /** The line, with its end, that tells how many were dropped. */
  readonly dropped: (lines: number) => string;
}

/**
 * A stream of log lines that never blocks, never fails and never holds more than a bounded amount: when its target takes no more,
 * lines are dropped, and one line says how many as soon as it takes some again.
 */
export class LogSink extends Writable {
  readonly #options: SinkOptions;
  #target: Writable | null = null;
  #droppedLines = 0;
  #isStuck = false;
  /** Targets that are let go and have something to write still. */
  readonly #ending = new Set<Writable>();
  /** Called when there are none any more. */
  #ended: () => void = () => undefined;

  constructor(options: SinkOptions) {
    super({ decodeStrings: false });
    this.#options = options;
  }

  override _write(line: string, _encoding: BufferEncoding, done: () => void): void {
    const target = (this.#target ??= this.#open());
    if (target.writableLength >= MAX_WAITING_BYTES) {
      this.#droppedLines++;
    } else {
      this.#tellDropped(target);
      target.write(line);
    }
    done();
  }

  override _final(done: () => void): void {
    this.reopen();
    if (this.#ending.size === 0) return done();
    const timer = setTimeout(() => {
      this.#isStuck = true;
      done();
    }, CLOSE_TIMEOUT_MS);
    this.#ended = () => {
      clearTimeout(timer);
      done();
    };
  }

  /** Whether it was closed with lines that its target has not taken: a thread may still wait to write them. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Has the next line open the target anew; what was written before goes to the one that is open. */
  reopen(): void {
    const target = this.#target;
    if (target === null) return;
    this.#target = null;
    this.#ending.add(target);
    target.end(() => {
      this.#ending.delete(target);
      if (this.#ending.size === 0) this.#ended();
    });
  }

  #open(): Writable {
    const target = this.#options.open();
    target.on('drain', () => {
      if (this.#target === target) this.#tellDropped(target);
    });
    // A full disk or a closed pipe is no reason to stop a proxy: what waited is lost, the next line tries anew.
    target.on('error', () => {
      if (this.#target === target) this.#target = null;
    });
    return target;
  }

  #tellDropped(target: Writable): void {
    if (this.#droppedLines === 0) return;
    const lines = this.#droppedLines;
    this.#droppedLines = 0;
    target.write(this.#options.dropped(lines));
  }
}

/**
 * Standard error, written from a thread: `process.stderr` writes to a pipe in the event loop, and a log reader that stands still
 * would make every call stand still.
 */
export function openStderr(): Writable {
  return createWriteStream('', { fd: 2, autoClose: false });
}

/** A file that lines are added to. */
export function openFile(path: string): Writable {
  return createWriteStream(path, { flags: 'a' });
}
