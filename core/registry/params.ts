import { z } from 'zod';
import { isFields } from './fields.ts';
import { Secret } from './secret.ts';
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
  /** What an error message shows of a wrong value, where that is not the value itself. */
  readonly redact?: (value: unknown) => string;
  /** Whether it names a file: a relative one is taken from the folder of kamailio.yaml. */
  readonly isPath?: true;
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
  /** What an error message shows of a wrong value: for one that may hold a secret. */
  readonly redact?: (value: unknown) => string;
}

interface TextsOptions {
  readonly doc: string;
  /** Returns a message when a name is not right, else null. */
  readonly checkName: (name: string) => string | null;
  /** Returns a message when a text is not right, else null. */
  readonly check: (text: string) => string | null;
  readonly expected: string;
  /** What an error message shows of a wrong text. */
  readonly redact?: (value: unknown) => string;
}

interface FileOptions {
  readonly doc: string;
  /** Looks into the file, by its absolute name: returns what is wrong with it, else null. */
  readonly check: (file: string) => string | null;
}

interface SecretOptions {
  readonly doc: string;
  /** Returns a message, which must not show the text, when it is not right, else null. */
  readonly check: (text: string) => string | null;
  readonly expected: string;
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
  /** Texts by name; none is the default. Each wrong one is a mistake of its own, which names it. */
  texts(options: TextsOptions): Param<Readonly<Record<string, string>>>;
  /** Name of a file, absolute by the time the module gets it; empty, the default: none. */
  file(options: FileOptions): Param<string>;
  /** A text that no message, log or listing shows; empty, the default: none. */
  secret(options: SecretOptions): Param<Secret>;
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
  string({ default: initial, doc, check, expected = 'a string', redact }) {
    const text = check === undefined ? z.string() : z.string().check(asZodCheck(check));
    const declared = { schema: text.default(initial), default: initial, doc, unit: '', expected };
    return redact === undefined ? declared : { ...declared, redact };
  },

  texts({ doc, checkName, check, expected, redact }) {
    const texts = z.record(z.string().check(asZodCheck(checkName)), z.string().check(asZodCheck(check)));
    const declared = { schema: texts.default({}), default: {}, doc, unit: '', expected };
    return redact === undefined ? declared : { ...declared, redact };
  },

  file({ doc, check }) {
    const name = z.string().check(asZodCheck((file) => (file === '' ? null : check(file))));
    const expected = 'the name of a file';
    return { schema: name.default(''), default: '', doc, unit: '', expected, isPath: true };
  },

  secret({ doc, check, expected }) {
    const none = new Secret('');
    const text = z.string().check(asZodCheck((value) => (value === '' ? null : check(value))));
    const schema = text.transform((value) => new Secret(value)).default(none);
    return { schema, default: none, doc, unit: '', expected, redact: () => 'something else, not shown' };
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

/** What is wrong with a value: `found` as users wrote it, `why` when the type's own check says more. */
interface ParamFault {
  /** Name of the part that is wrong, where a value has named parts. */
  readonly part?: string;
  readonly found: string;
  readonly why: string;
}

/** A parameter's value, or what is wrong with the one given; `parts` has the mistakes of its parts, if it is these that are wrong. */
type ParamResult =
  | { readonly ok: true; readonly value: unknown }
  | (ParamFault & { readonly ok: false; readonly parts?: readonly ParamFault[] });

/** Checks a value against a parameter; `undefined` gives the default. */
export function readParam(declared: Param, value: unknown): ParamResult {
  const result = declared.schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const { issues } = result.error;
  const show = declared.redact ?? shown;
  const parts = issues.flatMap((issue) => {
    const [part] = issue.path;
    if (typeof part !== 'string' || !isFields(value)) return [];
    const why = issue.code === 'invalid_key' ? issue.issues[0] : issue;
    return [{ part, found: show(value[part]), why: why?.code === 'custom' ? `: ${why.message}` : '' }];
  });
  const own = issues.find((issue) => issue.code === 'custom');
  const whole = { ok: false, found: show(value), why: own === undefined ? '' : `: ${own.message}` } as const;
  return parts.length === 0 ? whole : { ...whole, parts };
}
