import { z } from 'zod';
import { shown } from './shown.ts';

/** One modparam: its zod type (with default, so that it can be left out), unit and documentation. */
export interface Param<T = unknown> {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  readonly doc: string;
  /** Unit of a number: 's', 'ms', 'bytes', 'count'; '' for others. */
  readonly unit: string;
  /** What a value must be, for error messages and tables: "an integer from 0 to 255". */
  readonly expected: string;
}

export type ParamSchema = Readonly<Record<string, Param>>;

/** The value type of every parameter in `S`. */
export type ParamValues<S extends ParamSchema> = {
  readonly [K in keyof S]: S[K] extends Param<infer T> ? T : never;
};

interface StringOptions {
  readonly default: string;
  readonly doc: string;
  /** Returns a message when the text is not right, else null. */
  readonly check?: (value: string) => string | null;
  /** What the text must be, when `check` wants more than any string. */
  readonly expected?: string;
}

interface IntOptions {
  readonly default: number;
  readonly doc: string;
  readonly unit: 's' | 'ms' | 'bytes' | 'count';
  readonly min?: number;
  readonly max?: number;
}

interface ParamBuilders {
  /** Any text, or what `check` lets pass. */
  string(options: StringOptions): Param<string>;
  /** A safe integer within bounds, both included. */
  int(options: IntOptions): Param<number>;
  /** `true` or `false`; 1 and 0 as in a modparam. */
  bool(options: { readonly default: boolean; readonly doc: string }): Param<boolean>;
  /** One of the values listed. */
  oneOf<const T extends readonly (string | number)[]>(
    values: T,
    options: { readonly default: T[number]; readonly doc: string },
  ): Param<T[number]>;
}

/**
 * Declares the parameters of a module.
 *
 * @example
 * params: { expire: param.int({ default: 10_800, min: 0, unit: 's', doc: 'Default lifetime.' }) }
 */
export const param: ParamBuilders = {
  string({ default: initial, doc, check, expected = 'a string' }) {
    const text = check === undefined ? z.string() : z.string().check(asZodCheck(check));
    return { schema: text.default(initial), default: initial, doc, unit: '', expected };
  },

  int({ default: initial, doc, unit, min, max }) {
    const expected = `an integer${rangeText(min, max)}${unit === 'count' ? '' : ` (${unit})`}`;
    const number = z
      .int()
      .min(min ?? Number.MIN_SAFE_INTEGER)
      .max(max ?? Number.MAX_SAFE_INTEGER);
    return { schema: number.default(initial), default: initial, doc, unit, expected };
  },

  bool({ default: initial, doc }) {
    const number = z.literal([0, 1]).transform((value) => value === 1);
    const schema = z.union([z.boolean(), number]).default(initial);
    return { schema, default: initial, doc, unit: '', expected: 'true or false' };
  },

  oneOf(values, { default: initial, doc }) {
    type Value = (typeof values)[number];
    const schema: z.ZodType<Value> = z.literal([...values]).default(initial);
    return { schema, default: initial, doc, unit: '', expected: `one of ${values.join(', ')}` };
  },
};

function asZodCheck(check: (value: string) => string | null): z.core.CheckFn<string> {
  return (context) => {
    const message = check(context.value);
    if (message !== null) context.issues.push({ code: 'custom', message, input: context.value });
  };
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

/** A parameter's value, or what is wrong with the one given: `found` as users wrote it, `why` when the type's own check says more. */
export type ParamResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly found: string; readonly why: string };

/** Checks a value against a parameter; `undefined` gives the default. */
export function readParam(declared: Param, value: unknown): ParamResult {
  const result = declared.schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const own = result.error.issues.find((issue) => issue.code === 'custom');
  return { ok: false, found: shown(value), why: own === undefined ? '' : `: ${own.message}` };
}
