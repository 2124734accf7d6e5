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

/** The words that may answer each command; any other word is a fault of the connection. */
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

/** Whether a word is an answer to the command. */
export function mayAnswer(command: CommandName, word: string): word is ReplyWord {
  const words: readonly string[] = REPLY_WORDS[command];
  return words.includes(word);
}

/** The one CLIENT_ERROR that a well-formed command can meet. */
const NOT_A_NUMBER = 'CLIENT_ERROR cannot increment or decrement non-numeric value';

/** Whether an error line is an answer to the command, rather than a sign that the connection is out of step. */
export function isRefusal(command: CommandName, line: string): boolean {
  if (line.startsWith('SERVER_ERROR')) return true;
  return (command === 'incr' || command === 'decr') && line === NOT_A_NUMBER;
}

/** A command on its way; what waits on a connection is a list of these, oldest first. */
export interface Command {
  readonly name: CommandName;
  /** Key on the wire; empty for `version`. */
  readonly key: string;
  /** The command as it is sent, one char a byte. */
  readonly bytes: string;
  /** When it fails, by the clock's time, ms. */
  readonly deadlineMs: number;
  readonly settle: (reply: Reply) => void;
  next: Command | null;
}
