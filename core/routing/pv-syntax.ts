import { errors } from '../errors.ts';
import { excerpt } from '../registry/shown.ts';

/** A piece of a format as written: literal text, or a variable with what stands between its parentheses. */
export type Piece = { readonly kind: 'text'; readonly text: string } | VariablePiece;

/** A variable as written in a format. */
export interface VariablePiece {
  readonly kind: 'variable';
  /** With its `$`. */
  readonly name: string;
  /** Null when it has no parentheses. */
  readonly inner: readonly Piece[] | null;
  /** What stands in brackets behind it, as in `$(hdr(Via)[1])`; null when there are none. */
  readonly index: readonly Piece[] | null;
  /** Where it starts in the format, chars. */
  readonly at: number;
  /** Where it ends. */
  readonly end: number;
}

/** How deep parentheses may nest, so that no format can exhaust the stack. */
export const MAX_NESTING = 16;

/**
 * Splits a format into text and variables: `$name`, `$name(inner)`, `$(name)`, `$(name(inner))`, `$(name(inner)[index])`; `$$` is one `$`, and a
 * `$` before anything else is text (Kamailio's pseudo-variable syntax, without transformations).
 *
 * @throws ERR_PV_SYNTAX with the offset.
 */
export function parseFormat(format: string): Piece[] {
  return new Parser(format).pieces(0);
}

/** What opens, what closes, and its name for people. */
type Brackets = readonly [opening: string, closing: string, named: string];
const PARENTHESES: Brackets = ['(', ')', 'parenthesis'];
const BRACKETS: Brackets = ['[', ']', 'bracket'];

class Parser {
  readonly #format: string;
  #at = 0;

  constructor(format: string) {
    this.#format = format;
  }

  /** Pieces up to the end, or inside parentheses or brackets (`depth` above 0) up to the one that closes them. */
  pieces(depth: number, [opening, closing, named]: Brackets = PARENTHESES): Piece[] {
    const opened = this.#at - 1;
    if (depth > MAX_NESTING) this.#fail(`parentheses nest deeper than ${MAX_NESTING}`, opened);
    const found: Piece[] = [];
    let text = '';
    let open = 0;
    while (this.#at < this.#format.length) {
      const char = this.#format.charAt(this.#at);
      if (char === '$') {
        const variable = this.#variable(depth);
        if (typeof variable === 'string') {
          text += variable;
          continue;
        }
        if (text !== '') found.push({ kind: 'text', text });
        text = '';
        found.push(variable);
        continue;
      }
      // Those of the inner text itself, as in `$mct(a(b)c)`.
      if (char === closing && depth > 0 && open === 0) break;
      if (char === opening) open += 1;
      else if (char === closing) open -= 1;
      text += char;
      this.#at += 1;
    }
    if (depth > 0 && this.#at >= this.#format.length) this.#fail(`this ${named} is not closed`, opened);
    if (text !== '') found.push({ kind: 'text', text });
    return found;
  }

  /** What starts at a `$`: a variable, or the text that the `$` stands for. */
  #variable(depth: number): VariablePiece | string {
    const at = this.#at;
    this.#at += 1;
    const next = this.#format.charAt(this.#at);
    if (next === '$') {
      this.#at += 1;
      return '$';
    }
    if (next !== '(') return this.#named(at, depth) ?? '$';
    this.#at += 1;
    const variable = this.#named(at, depth + 1);
    if (variable === null) this.#fail('a name must follow $(', at);
    const index = this.#index(depth + 1);
    if (this.#format.charAt(this.#at) !== ')')
      this.#fail('only a name and an index may stand here: transformations do not exist', this.#at);
    this.#at += 1;
    return { ...variable, index, at, end: this.#at };
  }

  #index(depth: number): readonly Piece[] | null {
    if (this.#format.charAt(this.#at) !== '[') return null;
    this.#at += 1;
    const index = this.pieces(depth + 1, BRACKETS);
    this.#at += 1;
    return index;
  }

  #named(at: number, depth: number): VariablePiece | null {
    const start = this.#at;
    if (!isNameStart(this.#format.charCodeAt(start))) return null;
    do this.#at += 1;
    while (isNamePart(this.#format.charCodeAt(this.#at)));
    const name = `$${this.#format.slice(start, this.#at)}`;
    if (this.#format.charAt(this.#at) !== '(')
      return { kind: 'variable', name, inner: null, index: null, at, end: this.#at };
    this.#at += 1;
    const inner = this.pieces(depth + 1);
    this.#at += 1;
    return { kind: 'variable', name, inner, index: null, at, end: this.#at };
  }

  #fail(reason: string, at: number): never {
    throw errors.ERR_PV_SYNTAX(excerpt(this.#format), at, reason);
  }
}

function isNameStart(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || (code >= 48 && code <= 57);
}
