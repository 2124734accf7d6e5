import { errors, type ProxyError } from '../errors.ts';
import { callFor } from '../registry/loaded.ts';
import { isPromiseLike } from '../registry/promise-like.ts';
import type { Scope } from '../registry/scope.ts';
import { excerpt, messageOf } from '../registry/shown.ts';
import { asResult } from './pv-result.ts';
import { parseFormat, type Piece, type VariablePiece } from './pv-syntax.ts';
import type { Variable, Variables } from './variables.ts';

/** How null prints (Kamailio). */
const NULL_TEXT = '<null>';

type Part = string | Reference;

/** A format ready to be expanded: text, and variables with their inner text compiled as well. */
export class Format {
  readonly text: string;
  readonly #parts: readonly Part[];

  constructor(text: string, parts: readonly Part[]) {
    this.text = text;
    this.#parts = parts;
  }

  /** The variable that the format consists of, or null when it is anything else. */
  get only(): Reference | null {
    const [part] = this.#parts;
    return this.#parts.length === 1 && part instanceof Reference ? part : null;
  }

  /** The text without any variable, or null when there are some. */
  get literal(): string | null {
    if (this.#parts.length === 0) return '';
    const [part] = this.#parts;
    return this.#parts.length === 1 && typeof part === 'string' ? part : null;
  }

  /** Text with the variables' values; a promise only when one has to wait. In a key (`asKey`) null is an error, not `<null>`. */
  expand(scope: Scope, asKey: boolean): string | Promise<string> {
    let text = '';
    let next = 0;
    for (const part of this.#parts) {
      next += 1;
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const value = part.get(scope);
      if (isPromiseLike(value)) return this.#expandWaiting(scope, { before: text, value, next, asKey });
      text += this.#print(part, value, asKey);
    }
    return text;
  }

  /** The rest of an expansion whose variable before `next` has to wait. All that wait do so together. */
  async #expandWaiting(
    scope: Scope,
    {
      before,
      value,
      next,
      asKey,
    }: { before: string; value: PromiseLike<unknown>; next: number; asKey: boolean },
  ): Promise<string> {
    const rest = this.#parts.slice(next);
    const waiting = rest.map((part) => (typeof part === 'string' ? part : started(() => part.get(scope))));
    const values = await Promise.all([value, ...waiting]);
    const parts = this.#parts.slice(next - 1);
    return parts.reduce<string>(
      (text, part, i) => text + (typeof part === 'string' ? part : this.#print(part, values[i], asKey)),
      before,
    );
  }

  #print(part: Reference, value: unknown, asKey: boolean): string {
    const result = asResult(value);
    if (result !== null) return String(result);
    if (asKey) throw errors.ERR_PV_NULL_IN_KEY(part.name, excerpt(this.text));
    return NULL_TEXT;
  }
}

/** A throw becomes a rejection, so that it does not leave promises behind that nobody waits for. */
function started<T>(get: () => T): T | Promise<never> {
  try {
    return get();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A variable in a format, with its inner text. */
export class Reference {
  readonly #variable: Variable;
  /** Inner arguments that are the same in each run, or the format that they are made from. */
  readonly #inner: readonly unknown[] | Format;
  /** Which one of several; null: none was named, or it is among the inner arguments already. */
  readonly #index: Format | null;
  readonly #fault: (cause: unknown) => ProxyError;

  constructor(
    variable: Variable,
    { inner, index }: { readonly inner: readonly unknown[] | Format; readonly index: Format | null },
    fault: (cause: unknown) => ProxyError,
  ) {
    this.#variable = variable;
    this.#inner = inner;
    this.#index = index;
    this.#fault = fault;
  }

  get name(): string {
    return this.#variable.name;
  }

  /** The variable's value; a promise when it has to wait, or a variable in its inner text has to. */
  get(scope: Scope): unknown {
    const { loaded, definition } = this.#variable;
    return this.#withInner(scope, (inner) => definition.get(callFor(loaded, scope), ...inner));
  }

  /** Sets the variable; returns what its module answers. @throws ERR_PV_READ_ONLY. */
  set(scope: Scope, value: unknown): unknown {
    const { loaded, definition } = this.#variable;
    if (definition.set === undefined) throw errors.ERR_PV_READ_ONLY(this.name);
    return this.#withInner(scope, (inner) => definition.set?.(callFor(loaded, scope), value, ...inner));
  }

  #withInner(scope: Scope, use: (inner: readonly unknown[]) => unknown): unknown {
    const inner = this.#inner instanceof Format ? this.#inner.expand(scope, true) : this.#inner;
    if (this.#index === null) {
      if (inner instanceof Promise) return inner.then((text) => use(this.#arguments(text)));
      return use(this.#arguments(inner));
    }
    const which = this.#index;
    const index =
      inner instanceof Promise ? started(() => which.expand(scope, true)) : which.expand(scope, true);
    const useBoth = (text: string | readonly unknown[], at: string): unknown =>
      use([...this.#arguments(text), indexOf(at, this.#fault)]);
    if (typeof index === 'string' && !(inner instanceof Promise)) return useBoth(inner, index);
    return Promise.all([inner, index]).then(([text, at]) => useBoth(text, at));
  }

  /** Inner arguments, made from their text where that is what there is. */
  #arguments(inner: string | readonly unknown[]): readonly unknown[] {
    return typeof inner === 'string' ? innerArguments(this.#variable, inner, this.#fault) : inner;
  }
}

function innerArguments(
  { definition }: Variable,
  text: string,
  fault: (cause: unknown) => ProxyError,
): readonly unknown[] {
  if (definition.parse === undefined) return [text];
  try {
    return definition.parse(text);
  } catch (cause) {
    throw fault(cause);
  }
}

function indexOf(text: string, fault: (cause: unknown) => ProxyError): number {
  if (!/^-?\d{1,9}$/.test(text)) throw fault(`expected a whole number in brackets, found ${excerpt(text)}`);
  return Number(text);
}

/**
 * Compiles a format: its syntax is read, its variables are looked up, and inner text without variables is turned into arguments.
 *
 * @throws ERR_PV_SYNTAX, ERR_PV_UNKNOWN.
 */
export function compileFormat(text: string, variables: Variables): Format {
  const compile = (pieces: readonly Piece[], own: string): Format =>
    new Format(
      own,
      pieces.map((piece) => (piece.kind === 'text' ? piece.text : reference(piece))),
    );

  const reference = ({ name, inner, index, at, end }: VariablePiece): Reference => {
    const variable = variables.find(name);
    const syntax = (reason: string): ProxyError => errors.ERR_PV_SYNTAX(excerpt(text), at, reason);
    const fault = (cause: unknown): ProxyError => {
      const error = syntax(messageOf(cause));
      error.cause = cause;
      return error;
    };
    if (variable.definition.plain === true) {
      if (index !== null) throw syntax(`${name} has no index`);
      if (inner === null) return new Reference(variable, { inner: [], index: null }, fault);
      throw syntax(`${name} takes no parentheses; where one follows it, write $(${name.slice(1)})`);
    }
    if (inner === null) throw syntax(`${name} needs parentheses`);
    const format = compile(inner, text.slice(at, end));
    const { literal } = format;
    const given = literal === null ? format : innerArguments(variable, literal, fault);
    if (index === null) return new Reference(variable, { inner: given, index: null }, fault);
    if (variable.definition.indexed !== true) throw syntax(`${name} has no index`);
    const which = compile(index, text.slice(at, end));
    if (which.literal === null || given instanceof Format)
      return new Reference(variable, { inner: given, index: which }, fault);
    return new Reference(variable, { inner: [...given, indexOf(which.literal, fault)], index: null }, fault);
  };

  return compile(parseFormat(text), text);
}
