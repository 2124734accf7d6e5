import type { LogFields, LogLevel } from './log.ts';

/** How a log line looks: text for people, or one JSON object for programs. */
export const LOG_FORMATS = ['pretty', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What one line tells. */
export interface LogEntry {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Longest text printed of a message or a field, chars: a SIP message that is logged whole fits the most part of it. */
export const MAX_LOGGED_CHARS = 8192;

/** Longest stack printed of an error, lines. */
const MAX_STACK_LINES = 10;

/** Causes printed of an error, one behind the other: they may go round in a circle. */
const MAX_CAUSES = 5;

/**
 * C0 and C1 controls, DEL, the line separators that some viewers break lines at, and what turns the direction of text (UAX #9): a SIP header must not forge a
 * log line, nor have one read otherwise than it stands.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text that needs no quotes as the value of `key=value`. */
const BARE = /^[^\s"=\\]+$/;

/** One line without its end: `2026-01-31T12:00:00.000Z INFO   message key=value`. An error's stack follows on indented lines. */
export function prettyLine({ time, level, message, fields }: LogEntry): string {
  let line = `${time} ${level.toUpperCase().padEnd(6)} ${visible(textOf(message))}`;
  let stacks = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    line += ` ${visible(name)}=${prettyValue(value)}`;
    if (value instanceof Error) stacks += stackLines(value);
  }
  return line + stacks;
}

/** One line without its end: `{"time":…,"level":…,"message":…}` and the fields; a field of one of these names gets a `_` in front. */
export function jsonLine({ time, level, message, fields }: LogEntry): string {
  const line: Record<string, unknown> = { time, level, message: textOf(message) };
  for (const [name, value] of Object.entries(fields)) {
    line[Object.hasOwn(line, name) ? `_${name}` : name] = jsonValue(value);
  }
  return visible(JSON.stringify(line));
}

function prettyValue(value: unknown): string {
  const text = textOf(value);
  return BARE.test(text) ? visible(text) : visible(JSON.stringify(text));
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error)
    return { message: partOf(value, 'message'), stack: partOf(value, 'stack'), ...codeOf(value) };
  return typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined
    ? value
    : textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return cut(value);
  if (value instanceof Error) return cut(`${partOf(value, 'name')}: ${partOf(value, 'message')}`);
  if (Buffer.isBuffer(value)) return cut(value.toString('latin1'));
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return cut(JSON.stringify(value));
  } catch {
    // A cycle, or a bigint inside: its kind must do.
    return Object.prototype.toString.call(value);
  }
}

/** A field of an error as text: libraries put something else there, or nothing. */
function partOf(error: Error, key: 'name' | 'message' | 'stack'): string {
  const value: unknown = error[key];
  return value === undefined ? '' : textOf(value);
}

function codeOf(error: Error): { readonly code?: string } {
  return 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
}

/** The frames of an error and of what caused it; their text is V8's own, what an attacker can set is only in the message before. */
function stackLines(error: Error, causes = MAX_CAUSES): string {
  const { cause } = error;
  const stack: unknown = error.stack;
  const message = partOf(error, 'message');
  const at = typeof stack === 'string' ? stack.indexOf(message) : -1;
  const frames = (typeof stack === 'string' && at !== -1 ? stack.slice(at + message.length) : '')
    .split('\n')
    .filter((line) => /^ +at /.test(line));
  const lines = frames.slice(0, MAX_STACK_LINES).map((line) => `\n${visible(line)}`);
  if (cause instanceof Error && causes > 0)
    lines.push(`\n  caused by ${prettyValue(cause)}${cause === error ? '' : stackLines(cause, causes - 1)}`);
  return lines.join('');
}

function visible(text: string): string {
  return text.replace(CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function cut(text: string): string {
  if (text.length <= MAX_LOGGED_CHARS) return text;
  return `${text.slice(0, MAX_LOGGED_CHARS)}… (${text.length - MAX_LOGGED_CHARS} more)`;
}
