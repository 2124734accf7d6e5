import type { FormatService, Scope } from '../../core/index.ts';
import { errors } from '../../core/index.ts';
import { checkedLifetime } from './lifetime.ts';

/** Stands between a key and its lifetime: `$mct(key=>60)`. */
const LIFETIME_MARK = '=>';

/** Stands before and behind the name of a group, in front of a key: `$mct(@limits|key)`. */
const GROUP_MARK = '@';
const GROUP_END = '|';

/** What may be said of a key besides. */
export interface KeyOptions {
  /** Group of servers that keeps it; left out: those of the parameter `servers`. */
  readonly group?: string;
  /** Lifetime, s; see the parameter `expire`. */
  readonly expire?: number;
}

/** What may stand in `${}` of a key. */
export type KeyPart = string | number | bigint;

/** First argument of `$mct` and its like: a key, or the constant parts of a template. */
export type KeyArgument = string | TemplateStringsArray;

/** What a variable refers to. */
export interface KeyReference {
  readonly key: string;
  /** Lifetime, s; undefined: the default. */
  readonly expire: number | undefined;
  /** Name of its group of servers; undefined: none. */
  readonly group: string | undefined;
}

/**
 * Reads the arguments of `$mct` and its like in a route. Two forms:
 *
 * - `$mct(text)`, `$mct(text, { expire: 60, group: 'limits' })`: all of the text is the key. No `$`, `=>` or `@` in it means anything: it may come
 *   from a message.
 * - `` $mct`@limits|call::$ci/${text}=>60` ``: a group, variables and a lifetime are looked for in the constant parts alone.
 *
 * @throws ERR_MEMCACHED_KEY, ERR_MEMCACHED_EXPIRE, and what expanding throws.
 */
export function keyReference(
  formats: FormatService,
  scope: Scope,
  key: KeyArgument,
  rest: readonly unknown[],
): KeyReference | Promise<KeyReference> {
  if (typeof key === 'string') {
    return rest.length === 0 || rest[0] === undefined
      ? { key, expire: undefined, group: undefined }
      : { key, ...optionsOf(rest[0]) };
  }
  if (!Array.isArray(key)) {
    throw errors.ERR_MEMCACHED_KEY(
      'memcached',
      `a key is a string, found ${key === null ? 'null' : typeof key}`,
    );
  }
  return templateReference(formats, scope, key, rest);
}

function optionsOf(options: unknown): Pick<KeyReference, 'expire' | 'group'> {
  if (typeof options !== 'object' || options === null) {
    throw errors.ERR_MEMCACHED_KEY(
      'memcached',
      `what follows a key is { expire?: seconds, group?: name }, found ${options === null ? 'null' : typeof options}`,
    );
  }
  const { expire, group } = options as KeyOptions;
  return { expire: expire === undefined ? undefined : checkedLifetime(expire, 'expire'), group };
}

/** A key and the group that stands before it. */
function grouped(text: string): { readonly group: string | undefined; readonly key: string } {
  const end = text.startsWith(GROUP_MARK) ? text.indexOf(GROUP_END) : -1;
  return end === -1
    ? { group: undefined, key: text }
    : { group: text.slice(1, end), key: text.slice(end + 1) };
}

/**
 * Reads what stands between the parentheses where a variable is named in text, `$mct(@limits|key=>60)`: a group may stand first; the text up to the
 * first `=>` is the key, what follows its lifetime, as in Kamailio. Returns the arguments that `$mct` takes in a route.
 *
 * @throws ERR_MEMCACHED_EXPIRE when what follows is no lifetime.
 */
export function namedKey(inner: string): readonly [key: string, options: KeyOptions] {
  const mark = inner.indexOf(LIFETIME_MARK);
  const { group, key } = grouped(beforeMark(inner, mark));
  const expire = mark === -1 ? undefined : parsedLifetime(inner.slice(mark + LIFETIME_MARK.length));
  return [key, { ...(expire === undefined ? {} : { expire }), ...(group === undefined ? {} : { group }) }];
}

/** What stands before the mark at `mark`, -1: there is none. Blanks between the two are no part of the key: of what Kamailio sends, memcached takes none of them. */
function beforeMark(text: string, mark: number): string {
  if (mark === -1) return text;
  let end = mark;
  while (text[end - 1] === ' ') end -= 1;
  return text.slice(0, end);
}

/** Blank: the default, as in Kamailio. */
function parsedLifetime(text: string): number | undefined {
  const digits = text.trim();
  if (digits === '') return undefined;
  // Not as Kamailio, which reads `abc` as 0, "never", and `60x` as 60.
  if (!/^\d{1,10}$/.test(digits)) {
    throw errors.ERR_MEMCACHED_EXPIRE(LIFETIME_MARK, 'seconds', JSON.stringify(text.slice(0, 40)));
  }
  return checkedLifetime(Number(digits), LIFETIME_MARK);
}

function templateReference(
  formats: FormatService,
  scope: Scope,
  constants: readonly string[],
  values: readonly unknown[],
): KeyReference | Promise<KeyReference> {
  const { group, key } = grouped(constants[0] ?? '');
  const pieces: (string | { readonly pattern: string })[] = [];
  let expire: number | undefined;
  for (const [index, text] of constants.entries()) {
    const constant = index === 0 ? key : text;
    const mark = constant.indexOf(LIFETIME_MARK);
    const pattern = beforeMark(constant, mark);
    pieces.push(pattern.includes('$') ? { pattern } : pattern);
    if (mark !== -1) {
      const rest = constant.slice(mark + LIFETIME_MARK.length);
      expire = templateLifetime(rest, constants.slice(index + 1), values.slice(index));
      break;
    }
    if (index < values.length) pieces.push(keyPart(values[index]));
  }
  // Only now that nothing else can be wrong: what has to wait would be left behind.
  const whole = joined(
    pieces.map((piece) =>
      typeof piece === 'string' ? piece : expanded(() => formats.expandKey(scope, piece.pattern)),
    ),
  );
  return typeof whole === 'string'
    ? { key: whole, expire, group }
    : whole.then((text) => ({ key: text, expire, group }));
}

/** A throw becomes a rejection, so that it does not leave promises behind that nobody waits for. */
function expanded(expand: () => string | Promise<string>): string | Promise<string> {
  try {
    return expand();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** All pieces as one text; a promise only when one of them is. */
function joined(pieces: readonly (string | Promise<string>)[]): string | Promise<string> {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece !== 'string')
      return Promise.all(pieces.map((each) => Promise.resolve(each))).then((all) => all.join(''));
    text += piece;
  }
  return text;
}

/** What stands behind the mark: digits, or values that the route put there, with what stands between these. */
function templateLifetime(
  rest: string,
  constants: readonly string[],
  values: readonly unknown[],
): number | undefined {
  let text = rest;
  for (const [index, value] of values.entries()) text += keyPart(value) + (constants[index] ?? '');
  return parsedLifetime(text);
}

function keyPart(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw errors.ERR_MEMCACHED_KEY(
    'memcached',
    `what stands in a key is a string or a number, found ${value === null ? 'null' : typeof value}`,
  );
}
