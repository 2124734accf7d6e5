import { withoutComments } from './source-text.ts';

/** A variable called with a plain string literal. */
const CALL = /(\$\w+)\s*\(\s*(?:"([^"\\]*)"|'([^'\\]*)')/g;
/** What reads like a pseudo-variable, at the end like a lifetime, or at the beginning like a group of servers. */
const MEANT = /\$[a-zA-Z(]|=>\s*\d+\s*$|^@[a-zA-Z][\w-]*\|/;

/** A key that seems to name pseudo-variables, a lifetime or a group but would be taken as it stands. */
export interface LiteralKey {
  readonly variable: string;
  readonly key: string;
  /** Where the call stands in the source text. */
  readonly offset: number;
}

/**
 * Finds plain strings that name pseudo-variables, a lifetime or a group, given in a handler's source text to variables of `expanding`. They are constants of the routes file,
 * so nothing that comes from the network can look like one.
 */
export function literalKeys(source: string, expanding: ReadonlySet<string>): LiteralKey[] {
  return [...withoutComments(source).matchAll(CALL)].flatMap((match) => {
    const [, variable, double, single] = match;
    const key = double ?? single;
    const meant = variable !== undefined && key !== undefined && expanding.has(variable) && MEANT.test(key);
    return meant ? [{ variable, key, offset: match.index }] : [];
  });
}
