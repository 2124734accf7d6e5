import { once } from 'node:events';
import type { Writable } from 'node:stream';
import winston from 'winston';
import { jsonLine, type LogFormat, prettyLine } from './log-line.ts';
import { LogSink, openFile, openStderr } from './log-sink.ts';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './log.ts';

/** What `createLogger` is told. */
export interface LogOptions {
  /** The lowest level that is printed. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Absolute path of a file that gets every line too. */
  readonly file?: string | undefined;
  /** Takes the place of standard error (tests). */
  readonly sink?: Writable;
  readonly now?: () => Date;
}

/** A logger that can be closed: the process is to end when `close` has resolved, and not before. */
export interface ClosableLogger extends Logger {
  /** Writes a line as a notice, whatever the level. */
  readonly announce: (message: string, fields?: LogFields) => void;
  /** Opens the file anew, for the lines from now on: the one before may have been renamed. */
  reopen(): void;
  /** Writes out what waits; resolves when it is out, after a second at the latest: false where it is not, since whoever reads the log stands still. */
  close(): Promise<boolean>;
}

/** winston's priorities: 0 is the most urgent. */
const PRIORITIES = Object.fromEntries(LOG_LEVELS.toReversed().map((level, priority) => [level, priority]));

const LOWEST = LOG_LEVELS[0];

/** Creates the logger of the proxy: lines on standard error and, if wanted, in a file. */
export function createLogger({
  level,
  format,
  file,
  sink,
  now = () => new Date(),
}: LogOptions): ClosableLogger {
  const print = format === 'json' ? jsonLine : prettyLine;
  const lineOf = (at: LogLevel, message: string, fields: LogFields): string => {
    const time = now().toISOString();
    try {
      return print({ time, level: at, message, fields });
    } catch {
      // Whoever logs what went wrong must not fail by it: an error whose message cannot be read is one all the same.
      return print({ time, level: at, message, fields: { unprintable: Object.keys(fields).join(' ') } });
    }
  };
  const dropped = (
    lines: number,
  ) => `${lineOf('warn', 'log lines were dropped, the log is too slow', { lines })}
`;
  const terminal = new LogSink({ open: sink === undefined ? openStderr : () => sink, dropped });
  const files = file === undefined ? [] : [new LogSink({ open: () => openFile(file), dropped })];
  const sinks = [terminal, ...files];
  const root = winston.createLogger({
    // The level is compared before winston is called.
    level: LOWEST,
    levels: PRIORITIES,
    format: winston.format.printf(({ message }) => String(message)),
    transports: sinks.map((stream) => new winston.transports.Stream({ stream, eol: '\n' })),
  });
  let closed: Promise<boolean> | null = null;
  const write: Write = (at, message, fields) => {
    // What still runs while the log is closed must not fail by what it says: winston throws then.
    if (closed === null) root.log(at, lineOf(at, message, fields));
  };
  const end = async (): Promise<boolean> => {
    root.end();
    await once(root, 'finish');
    await Promise.all(sinks.map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
    return !sinks.some(({ isStuck }) => isStuck);
  };
  return Object.assign(new LevelLogger(level, {}, write), {
    announce: (message: string, fields: LogFields = {}) => write('notice', message, fields),
    reopen: () => files.forEach((stream) => stream.reopen()),
    close: () => (closed ??= end()),
  });
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

/** Compares the level before anything is built; winston sees only what is printed. */
class LevelLogger implements Logger {
  readonly #rank: number;
  readonly #level: LogLevel;
  readonly #fields: LogFields;
  readonly #write: Write;

  constructor(level: LogLevel, fields: LogFields, write: Write) {
    this.#rank = LOG_LEVELS.indexOf(level);
    this.#level = level;
    this.#fields = fields;
    this.#write = write;
  }

  isEnabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#rank;
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#rank <= DEBUG) this.#print('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#rank <= INFO) this.#print('info', message, fields);
  }

  notice(message: string, fields?: LogFields): void {
    if (this.#rank <= NOTICE) this.#print('notice', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#rank <= WARN) this.#print('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#print('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new LevelLogger(this.#level, { ...this.#fields, ...fields }, this.#write);
  }

  #print(level: LogLevel, message: string, fields: LogFields | undefined): void {
    this.#write(level, message, fields === undefined ? this.#fields : { ...this.#fields, ...fields });
  }
}

const DEBUG = LOG_LEVELS.indexOf('debug');
const INFO = LOG_LEVELS.indexOf('info');
const NOTICE = LOG_LEVELS.indexOf('notice');
const WARN = LOG_LEVELS.indexOf('warn');
