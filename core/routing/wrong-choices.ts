import { withoutComments } from './source-text.ts';

/** A call of a module's function whose first argument is one plain string, with another argument behind it. */
const CALL = /\b(\w+)\.(\w+)\s*\(\s*(?:"([^"\\]*)"|'([^'\\]*)'|`((?:[^`\\$]|\$(?!\{))*)`)\s*,(?!\s*\))/g;

/** A first argument that is none of those that the function takes. */
export interface WrongChoice {
  /** `module.function`. */
  readonly fn: string;
  readonly given: string;
  readonly choices: readonly string[];
  /** Where the function's name stands in the source text. */
  readonly offset: number;
}

/** Finds the plain strings that a handler's source text gives to a function of `choicesOf` first, others following, and that are none of its choices. */
export function wrongChoices(
  source: string,
  choicesOf: ReadonlyMap<string, readonly string[]>,
): WrongChoice[] {
  return [...withoutComments(source).matchAll(CALL)].flatMap((match) => {
    const [, module = '', name, double, single, template] = match;
    const fn = `${module}.${name}`;
    const given = double ?? single ?? template ?? '';
    const choices = choicesOf.get(fn);
    if (choices === undefined || choices.includes(given)) return [];
    return [{ fn, given, choices, offset: match.index + module.length + 1 }];
  });
}
