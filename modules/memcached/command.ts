import type { WireValue } from './value.ts';

/** Commands of memcached's text protocol that the module uses. */
export type CommandName =
  | 'get'
  | 'gets'
  | 'set'
  | 'add'
  | 'cas'
  | 'incr'
  | 'decr'
  | 'touch'
  | 'delete'
  | 'version';

/** Replies of one word. */
export type ReplyWord =
  | 'END'
  | 'STORED'
  | 'NOT_STORED'
  | 'EXISTS'
  | 'NOT_FOUND'
  | 'TOUCHED'
  | 'DELETED'
  | 'VERSION';

/** What became of a command. */
export type Reply =
  /** `cas`: the number that `gets` gives with a value, and `cas` wants back; empty for `get`. */
  | { readonly kind: 'value'; readonly value: WireValue; readonly cas: string }
  | { readonly kind: 'number'; readonly digits: string }
  | { readonly kind: 'word'; readonly word: ReplyWord }
  /** The server said no: `line` is its error. */
  | { readonly kind: 'refused'; readonly line: string }
  /** No answer. `sent` false: it never left, so that it cannot have been carried out. Otherwise that is not known. */
  | Unanswered;

/** A command without an answer. */
export interface Unanswered {
  readonly kind: 'down';
  readonly cause: 'timeout' | 'fault';
  readonly reason: string;
  readonly sent: boolean;
}

/** The words that may answer each command; any other line is a fault of the connection. */
const REPLY_WORDS: Readonly<Record<CommandName, readonly ReplyWord[]>> = {
  get: ['END'],
  gets: ['END'],
  set: ['STORED', 'NOT_STORED'],
  add: ['STORED', 'NOT_STORED'],
  cas: ['STORED', 'EXISTS', 'NOT_FOUND'],
  incr: ['NOT_FOUND'],
  decr: ['NOT_FOUND'],
  touch: ['TOUCHED', 'NOT_FOUND'],
  delete: ['DELETED', 'NOT_FOUND'],
  version: ['VERSION'],
};

/** Made once: most answers are one of these. */
const WORD_REPLIES: Readonly<Record<ReplyWord, Reply>> = {
  END: { kind: 'word', word: 'END' },
  STORED: { kind: 'word', word: 'STORED' },
  NOT_STORED: { kind: 'word', word: 'NOT_STORED' },
  EXISTS: { kind: 'word', word: 'EXISTS' },
  NOT_FOUND: { kind: 'word', word: 'NOT_FOUND' },
  TOUCHED: { kind: 'word', word: 'TOUCHED' },
  DELETED: { kind: 'word', word: 'DELETED' },
  VERSION: { kind: 'word', word: 'VERSION' },
};

/** The reply that a line of one word is to the command, or null. Of the line that answers `version` the rest does not count. */
export function wordReply(command: CommandName, line: string): Reply | null {
  const words = REPLY_WORDS[command];
  for (const word of words) if (line === word) return WORD_REPLIES[word];
  return command === 'version' && line.startsWith('VERSION ') ? WORD_REPLIES.VERSION : null;
}

/** The reply that a line of digits is to the command, or null. */
export function countReplied(command: CommandName, line: string): Reply | null {
  const counts = command === 'incr' || command === 'decr';
  return counts && /^\d{1,20}$/.test(line) ? { kind: 'number', digits: line } : null;
}

/** The one CLIENT_ERROR that a well-formed command can meet. */
const NOT_A_NUMBER = 'CLIENT_ERROR cannot increment or decrement non-numeric value';

/** Whether an error line is an answer to the command, rather than a sign that the connection is out of step. */
export function isRefusal(command: CommandName, line: string): boolean {
  if (line.startsWith('SERVER_ERROR')) return true;
  return (command === 'incr' || command === 'decr') && line === NOT_A_NUMBER;
}

/** Whether the server did not carry out a command, since it found no memory: even a `decr` needs some while another client reads the counter. */
export function isOutOfMemory(reply: Reply): boolean {
  return reply.kind === 'refused' && reply.line.startsWith('SERVER_ERROR out of memory');
}

/** Whether a command only reads: such ones may go out together. */
export function isRead({ name }: Command): boolean {
  return name === 'get' || name === 'gets';
}

/** A command on its way; what waits on a connection is a list of these, oldest first. */
export interface Command {
  readonly name: CommandName;
  /** Key on the wire; empty for `version`. */
  readonly key: string;
  /** The command as it is sent by itself, one char a byte. */
  readonly bytes: string;
  /** When it fails, by the clock's time, ms. */
  readonly deadlineMs: number;
  readonly settle: (reply: Reply) => void;
  /** The command that is sent after this one. */
  next: Command | null;
  /** The next read of the same line, of another key. */
  more: Command | null;
  /** The next read of the same key, which is not sent by itself. */
  twin: Command | null;
  /** What has come for a read whose line is not answered to its end. */
  answer: Reply | null;
}

/** A command that stands in no queue yet. */
export function newCommand({
  name,
  key,
  bytes,
  deadlineMs,
  settle,
}: Pick<Command, 'name' | 'key' | 'bytes' | 'deadlineMs' | 'settle'>): Command {
  return { name, key, bytes, deadlineMs, settle, next: null, more: null, twin: null, answer: null };
}
