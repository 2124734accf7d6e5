import type { Command } from './command.ts';

/** Keys that one line asks for at most: what they come to is read as a whole before the first reader is told. */
export const MAX_KEYS_PER_LINE = 100;

/** Longest line, bytes: memcached reads a longer one into memory that it has to find first (memcached.c, try_read_command_ascii). */
export const MAX_LINE_BYTES = 2048;

/**
 * The line of reads that may still take more: reads that are asked for in one turn of the event loop go out together, in the place of the
 * first, and a key that is asked for twice goes out once. A read never overtakes a command on its own key.
 */
export class ReadLine {
  #line: OpenLine | null = null;

  /** Puts a read into the line. False when it needs one of its own. */
  join(read: Command): boolean {
    return this.#line !== null && joinLine(this.#line, read);
  }

  /** Begins a line with a read that has been put into the queue. */
  begin(read: Command): void {
    this.#line = { last: read, lookedAt: read, bytes: read.bytes.length, keys: null, changed: null };
  }

  /** No more reads go into the line. */
  end(): void {
    this.#line = null;
  }
}

interface OpenLine {
  /** Its newest read of a key of its own. */
  last: Command;
  /** How far the queue has been looked at for changes. */
  lookedAt: Command;
  bytes: number;
  /** The newest read of each key; made for the second read. (New for each line: a cleared Map leaves more to the collector.) */
  keys: Map<string, Command> | null;
  /** Keys that are changed by what was asked for after the line was begun; made for the first of these. */
  changed: Set<string> | null;
}

function joinLine(line: OpenLine, read: Command): boolean {
  line.keys ??= new Map([[line.last.key, line.last]]);
  if (isChanged(line, read.key)) return false;
  const twin = line.keys.get(read.key);
  if (twin !== undefined) twin.twin = read;
  else if (!append(line, read, line.keys.size)) return false;
  line.keys.set(read.key, read);
  return true;
}

function append(line: OpenLine, read: Command, keys: number): boolean {
  const bytes = line.bytes + 1 + read.key.length;
  if (bytes > MAX_LINE_BYTES || keys >= MAX_KEYS_PER_LINE) return false;
  line.bytes = bytes;
  line.last.more = read;
  line.last = read;
  return true;
}

function isChanged(line: OpenLine, key: string): boolean {
  let { next } = line.lookedAt;
  while (next !== null) {
    line.changed ??= new Set();
    line.changed.add(next.key);
    line.lookedAt = next;
    next = next.next;
  }
  return line.changed?.has(key) ?? false;
}

/** What is sent for a command that stands for those that have joined it. */
export function printLine(first: Command): string {
  if (first.more === null) return first.bytes;
  let line = `${first.name} ${first.key}`;
  for (let read: Command | null = first.more; read !== null; read = read.more) line += ` ${read.key}`;
  return `${line}\r\n`;
}
