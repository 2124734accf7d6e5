import { errors } from '../../core/index.ts';
import { compileRegex } from './compile-regex.ts';

/** A substitution of routes: `/regex/replacement/flags`. */
export interface Subst {
  readonly regex: RegExp;
  /** Every match is replaced, not only the first (flag g). */
  readonly all: boolean;
  /** The replacement in order: text, in which variables are still to expand, and numbers of groups. */
  readonly replacement: readonly (string | number)[];
}

/** What a char behind a backslash stands for in a replacement; any other stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Parses a substitution. The first char is the delimiter; behind a backslash it stands for itself. Flags: i any case, g all matches,
 * s a dot matches line ends too and ^ and $ only the ends of the text.
 * @throws ERR_SUBST_SYNTAX, ERR_REGEX_SYNTAX.
 */
export function parseSubst(caller: string, expression: string): Subst {
  const fail = (why: string) => errors.ERR_SUBST_SYNTAX(caller, JSON.stringify(expression), why);
  const delimiter = expression.charAt(0);
  if (delimiter === '' || /[\\\w\s]/.test(delimiter)) throw fail('expected `/regex/replacement/flags`');
  const middle = delimiterAfter(expression, delimiter, 1);
  const last = middle === -1 ? -1 : delimiterAfter(expression, delimiter, middle + 1);
  if (last === -1) throw fail(`expected three '${delimiter}'`);
  const flags = expression.slice(last + 1);
  if (/[^igs]/.test(flags)) throw fail(`flags are i, g and s, found '${flags}'`);

  const pattern = expression.slice(1, middle).replaceAll(`\\${delimiter}`, delimiter);
  const lines = flags.includes('s') ? 's' : 'm';
  const regex = compileRegex(caller, pattern, `g${lines}${flags.includes('i') ? 'i' : ''}`);
  const replacement = parseReplacement(expression.slice(middle + 1, last));
  return { regex, all: flags.includes('g'), replacement };
}

function delimiterAfter(text: string, delimiter: string, start: number): number {
  for (let i = start; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === delimiter) return i;
  }
  return -1;
}

function parseReplacement(text: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let literal = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    const escaped = char === '\\' && i + 1 < text.length ? text.charAt(i + 1) : null;
    if (escaped === null) {
      literal += char;
      continue;
    }
    i += 1;
    if (/\d/.test(escaped)) {
      parts.push(literal, Number(escaped));
      literal = '';
    } else {
      literal += ESCAPES[escaped] ?? escaped;
    }
  }
  parts.push(literal);
  return parts.filter((part) => part !== '');
}
