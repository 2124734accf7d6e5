import type { FormatService, Scope } from '../../core/index.ts';
import { errors } from '../../core/index.ts';
import { checkedLifetime } from './lifetime.ts';

/** Stands between a key and its lifetime: `$mct(key=>60)`. */
const LIFETIME_MARK = '=>';

/** How long a value written through a variable lives. */
export interface KeyOptions {
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
}

/**
 * Reads the arguments of `$mct` and its like in a route. Two forms:
 *
 * - `$mct(text)`, `$mct(text, { expire: 60 })`: all of the text is the key. No `$` and no `=>` in it means anything: it may come from a message.
 * - `` $mct`call::$ci/${text}=>60` ``: variables and a lifetime are looked for in the constant parts alone.
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
    return { key, expire: rest.length === 0 || rest[0] === undefined ? undefined : expireOf(rest[0]) };
  }
  if (!Array.isArray(key)) {
    throw errors.ERR_MEMCACHED_KEY(
      'memcached',
      `a key is a string, found ${key === null ? 'null' : typeof key}`,
    );
  }
  return templateReference(formats, scope, key, rest);
}

function expireOf(options: unknown): number | undefined {
  if (typeof options !== 'object' || options === null) {
    throw errors.ERR_MEMCACHED_KEY(
      'memcached',
      `what follows a key is { expire?: seconds }, found ${options === null ? 'null' : typeof options}`,
    );
  }
  const { expire } = options as KeyOptions;
  return expire === undefined ? undefined : checkedLifetime(expire, 'expire');
}

/**
 * Reads what stands between the parentheses where a variable is named in text, `$mct(key=>60)`: the text up to the first `=>` is the key, what
 * follows its lifetime, as in Kamailio. Returns the arguments that `$mct` takes in a route.
 *
 * @throws ERR_MEMCACHED_EXPIRE when what follows is no lifetime.
 */
export function namedKey(inner: string): readonly [key: string, options: KeyOptions] {
  const mark = inner.indexOf(LIFETIME_MARK);
  if (mark === -1) return [inner, {}];
  const expire = parsedLifetime(inner.slice(mark + LIFETIME_MARK.length));
  return [inner.slice(0, mark), expire === undefined ? {} : { expire }];
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

async function templateReference(
  formats: FormatService,
  scope: Scope,
  constants: readonly string[],
  values: readonly unknown[],
): Promise<KeyReference> {
  let key = '';
  for (const [index, constant] of constants.entries()) {
    const mark = constant.indexOf(LIFETIME_MARK);
    const pattern = mark === -1 ? constant : constant.slice(0, mark);
    key += pattern.includes('$') ? await formats.expandKey(scope, pattern) : pattern;
    if (mark !== -1) {
      return { key, expire: templateLifetime(constants, values, index, mark + LIFETIME_MARK.length) };
    }
    if (index < values.length) key += keyPart(values[index]);
  }
  return { key, expire: undefined };
}

/** What stands behind the mark: digits, or values that the route put there. */
function templateLifetime(
  constants: readonly string[],
  values: readonly unknown[],
  index: number,
  offset: number,
): number | undefined {
  let text = (constants[index] ?? '').slice(offset);
  for (let i = index; i < values.length; i++) text += keyPart(values[i]) + (constants[i + 1] ?? '');
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
