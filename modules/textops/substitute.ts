import { type Expansion, expandThen } from './expansion.ts';
import type { Subst } from './subst-expression.ts';

/** A place in a text and what comes there instead. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Finds what a substitution changes in a byte string, in order; a promise when a variable in the replacement has to wait. */
export function replacementsIn(
  text: string,
  subst: Subst,
  expansion: Expansion,
): readonly Replacement[] | Promise<readonly Replacement[]> {
  const matches = matchesIn(text, subst);
  if (matches.length === 0) return [];
  const parts = subst.replacement.map((part) =>
    typeof part === 'number' ? part : expandThen(part, expansion, (bytes) => bytes),
  );
  const finish = (ready: readonly (string | number)[]) => matches.map((match) => replacementOf(match, ready));
  if (areReady(parts)) return finish(parts);
  return Promise.all(parts.map((part) => Promise.resolve(part))).then(finish);
}

/** The text with its replacements made. */
export function replaced(text: string, replacements: readonly Replacement[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: instead } of replacements) {
    result += text.slice(at, start) + instead;
    at = end;
  }
  return result + text.slice(at);
}

function matchesIn(text: string, subst: Subst): RegExpExecArray[] {
  if (subst.all) return [...text.matchAll(subst.regex)];
  subst.regex.lastIndex = 0;
  const first = subst.regex.exec(text);
  return first === null ? [] : [first];
}

function replacementOf(match: RegExpExecArray, parts: readonly (string | number)[]): Replacement {
  const text = parts.map((part) => (typeof part === 'number' ? (match[part] ?? '') : part)).join('');
  return { start: match.index, end: match.index + match[0].length, text };
}

function areReady(
  parts: readonly (string | number | Promise<string>)[],
): parts is readonly (string | number)[] {
  return parts.every((part) => typeof part !== 'object');
}
