/** What a parser returns: bad input is normal, so it is a value and never thrown. `at` is an offset in chars. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Malformed;

export interface Malformed {
  readonly ok: false;
  /** What is wrong, in a few words, without the input's own text. */
  readonly reason: string;
  readonly at: number;
}

/** Wraps a parsed value. */
export function parsed<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Says what is wrong, and where. */
export function malformed(reason: string, at: number): Malformed {
  return { ok: false, reason, at };
}
