import { withoutComments } from './source-text.ts';

/** A call of a module's function, as in `ksr.xlog.xinfo(`. */
const CALL = /\b(\w+)\.(\w+)\s*\(\s*/g;
/** An argument that is one plain string, up to what stands behind it. */
const LITERAL =
  /(?:"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|`((?:[^`\\$]|\\[^]|\$(?!\{))*)`)\s*([,)])\s*/y;

/** A format given to a function. */
export interface LiteralFormat {
  /** `module.function`. */
  readonly fn: string;
  readonly format: string;
  /** Where the function's name stands in the source text. */
  readonly offset: number;
}

/** Finds the plain strings with a `$` that a handler's source text gives to the functions named, up to the first argument that is none. */
export function literalFormats(source: string, expanding: ReadonlySet<string>): LiteralFormat[] {
  const code = withoutComments(source);
  return [...code.matchAll(CALL)].flatMap(({ 0: { length }, 1: module = '', 2: name, index }) => {
    const fn = `${module}.${name}`;
    if (!expanding.has(fn)) return [];
    return literalsAt(code, index + length).flatMap((format) =>
      format.includes('$') ? [{ fn, format, offset: index + module.length + 1 }] : [],
    );
  });
}

function literalsAt(code: string, start: number): string[] {
  const found: string[] = [];
  LITERAL.lastIndex = start;
  for (let match = LITERAL.exec(code); match !== null; match = LITERAL.exec(code)) {
    const [, double, single, template, end] = match;
    // What an escape stands for is never part of a variable that someone meant to write.
    found.push((double ?? single ?? template ?? '').replaceAll(/\\[^]/g, ' '));
    if (end === ')') break;
  }
  return found;
}
