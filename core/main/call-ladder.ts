import type { StackMessage } from './call-endpoint.ts';

/** Width of the arrow between two columns, chars. */
const ARROW_CHARS = 34;

/** Prints the messages of a call as a ladder of three columns: caller, proxy, callee. */
export class CallLadder {
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** A message between the caller and the proxy. */
  caller(direction: 'sent' | 'received', message: StackMessage): void {
    this.#print(`caller ${arrow(direction === 'sent', message)} proxy`);
  }

  /** A message between the proxy and the callee. */
  callee(direction: 'sent' | 'received', message: StackMessage): void {
    const indent = ' '.repeat('caller '.length + ARROW_CHARS + 1);
    this.#print(`${indent}proxy ${arrow(direction === 'received', message)} callee`);
  }

  /** A line of its own. */
  note(text: string): void {
    this.#print(`* ${text}`);
  }
}

function arrow(toTheRight: boolean, message: StackMessage): string {
  const line = ` ${firstLine(message)} `.padEnd(ARROW_CHARS - 5, '-');
  return toTheRight ? `---${line}->` : `<--${line}--`;
}

function firstLine({ method, status, reason = '', headers }: StackMessage): string {
  if (method !== undefined) return method;
  return `${status} ${reason} (${headers.cseq.method})`;
}
