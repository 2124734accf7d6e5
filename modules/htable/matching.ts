import { errors } from '../../core/index.ts';
import type { TableValue } from './outcome.ts';

/** What a key or a value is compared with. */
type Matches = (text: string) => boolean;

/** Operators of `sht_match_name` and its like. */
const OPERATORS: Readonly<Record<string, (caller: string, text: string) => Matches>> = {
  eq: (_, text) => (found) => found === text,
  ne: (_, text) => (found) => found !== text,
  sw: (_, text) => (found) => found.startsWith(text),
  ew: (_, text) => (found) => found.endsWith(text),
  in: (_, text) => (found) => found.includes(text),
  re: (caller, text) => {
    const regex = compile(caller, text);
    return (found) => regex.test(found);
  },
};

/** Operators that `$shtcn` and `$shtcv` begin with. */
const COUNT_OPERATORS: readonly (readonly [mark: string, operator: string])[] = [
  ['~~', 're'],
  ['~%', 'ew'],
  ['%~', 'sw'],
  ['==', 'eq'],
];

/** Whether an item is meant. */
type MatchesItem = (key: string, value: TableValue) => boolean;

/** The part of an item that is compared. */
export type Part = 'key' | 'value';

/** What is looked for. */
export interface Wanted {
  readonly part: Part;
  readonly operator: string;
  readonly text: string;
  /** The operators that the caller takes. */
  readonly allowed: readonly string[];
}

/**
 * Compares the key of an item, or its value if that is a string, as an operator says.
 *
 * @throws ERR_HTABLE_VALUE for an operator that is not allowed, ERR_REGEX_SYNTAX.
 */
export function itemMatcher(caller: string, { part, operator, text, allowed }: Wanted): MatchesItem {
  const make = allowed.includes(operator) ? OPERATORS[operator] : undefined;
  if (make === undefined) {
    const expected = `one of ${allowed.join(', ')}`;
    throw errors.ERR_HTABLE_VALUE(caller, 'the operator', expected, JSON.stringify(operator));
  }
  const matches = make(caller, text);
  if (part === 'key') return (key) => matches(key);
  return (_, value) => typeof value === 'string' && matches(value);
}

/**
 * Reads what `$shtcn` and `$shtcv` count, as in Kamailio: `~~` and a regular expression, `~%` what it ends with, `%~` what it begins with, `==`
 * what it is, `eq` the integer that a value is, `**` all. Without any of these: a regular expression.
 *
 * @throws ERR_REGEX_SYNTAX
 */
export function countMatcher(caller: string, condition: string, part: Part): MatchesItem {
  if (condition.startsWith('**')) return () => true;
  if (condition.startsWith('eq') && part === 'value') {
    const wanted = Number(condition.slice(2));
    return (_, value) => typeof value !== 'string' && Number(value) === wanted;
  }
  const [mark = '', operator = 're'] = COUNT_OPERATORS.find(([each]) => condition.startsWith(each)) ?? [];
  const text = condition.slice(mark.length);
  if (text === '') return () => false;
  return itemMatcher(caller, { part, operator, text, allowed: [operator] });
}

/** Regular expressions ignore case, and `^` and `$` mean lines, as in Kamailio. */
function compile(caller: string, text: string): RegExp {
  try {
    return new RegExp(text, 'im');
  } catch (error) {
    throw errors.ERR_REGEX_SYNTAX(caller, JSON.stringify(text), String(error));
  }
}
