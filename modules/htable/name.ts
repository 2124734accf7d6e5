import { errors, type FormatService, type Scope } from '../../core/index.ts';

/** Stands between a table and a key: `$sht(table=>key)`. */
const MARK = '=>';

/** What may stand in `${}` of a name. */
export type NamePart = string | number | bigint;

/** First argument of `$sht` and its like: `table=>key`, or the constant parts of a template. */
export type NameArgument = string | TemplateStringsArray;

/** A key of a table. */
export interface ItemName {
  readonly table: string;
  readonly key: string;
}

/**
 * Splits `table=>key` at the first `=>`. The key is all that follows, as it stands.
 *
 * @throws ERR_HTABLE_NAME when there is none.
 */
export function splitName(caller: string, text: NameArgument): ItemName {
  const mark = typeof text === 'string' ? text.indexOf(MARK) : -1;
  if (typeof text !== 'string' || mark === -1) {
    throw errors.ERR_HTABLE_NAME(caller, `expected table=>key, found ${JSON.stringify(text)}`);
  }
  return { table: text.slice(0, mark).trim(), key: text.slice(mark + MARK.length) };
}

/**
 * Reads the arguments of `$sht` and its like in a route. Two forms:
 *
 * - `$sht('table=>key')`: the key is taken as it stands. No `$` in it means anything: it may come from a message.
 * - `` $sht`table=>$ci/${text}` ``: variables are looked for in the constant parts alone, and the table stands in the first of them.
 *
 * @throws ERR_HTABLE_NAME, and what expanding throws.
 */
export async function itemName(
  caller: string,
  {
    formats,
    scope,
    name,
    values,
  }: {
    readonly formats: FormatService;
    readonly scope: Scope;
    readonly name: NameArgument;
    readonly values: readonly NamePart[];
  },
): Promise<ItemName> {
  if (!Array.isArray(name)) return splitName(caller, name);
  const [first = '', ...rest] = name;
  // Not from a value: whoever sends it must not choose the table.
  const { table, key: start } = splitName(caller, first);
  let key = await expanded(formats, scope, start);
  for (const [index, constant] of rest.entries()) {
    key += namePart(caller, values[index]) + (await expanded(formats, scope, constant));
  }
  return { table, key };
}

function expanded(formats: FormatService, scope: Scope, text: string): string | Promise<string> {
  return text.includes('$') ? formats.expandKey(scope, text) : text;
}

function namePart(caller: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const found = value === null ? 'null' : typeof value;
  throw errors.ERR_HTABLE_NAME(caller, `what stands in a key is a string or a number, found ${found}`);
}
