import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../registry/shown.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with a reference: its variable is not set, its file cannot be read, or it is a `${` that is no reference. */
export type ReferenceProblem =
  | { readonly kind: 'missing' | 'malformed'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly text: string; readonly reason: string };

/** What `substitute` made of a text. */
export interface Substitution {
  readonly text: string;
  readonly substituted: boolean;
  readonly problems: readonly ReferenceProblem[];
}

/** Where references lead. */
export interface ReferenceTargets {
  readonly environment: Environment;
  /** Folder that relative names of files are taken from. */
  readonly folder: string;
}

/** Largest file that a reference may name, bytes: such a file holds one value. */
export const MAX_REFERENCED_BYTES = 65_536;

/** A `$${`, or a `${` up to the brace that closes it. */
const REFERENCE = /\$\$\{|\$\{[^}]*\}?/g;
const OF_VARIABLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}$/;
const OF_FILE = /^\$\{file:([^}]+)\}$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by environment variables, as a shell does: the default also stands in for an empty one.
 * `${file:PATH}` is replaced by what the file holds, without the end of its last line. `$${` gives a plain `${`. What came from elsewhere
 * is not looked into again.
 */
export function substitute(text: string, { environment, folder }: ReferenceTargets): Substitution {
  const problems: ReferenceProblem[] = [];
  let substituted = false;
  const result = text.replace(REFERENCE, (reference) => {
    if (reference === '$${') return '${';
    const file = OF_FILE.exec(reference)?.[1];
    const [, name, otherwise] = OF_VARIABLE.exec(reference) ?? [];
    if (file === undefined && name === undefined) {
      problems.push({ kind: 'malformed', text: reference });
      return reference;
    }
    substituted = true;
    if (file !== undefined) return textOfFile(file, folder, problems);
    const value = name === undefined ? undefined : environment[name];
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value;
    if (otherwise === undefined) problems.push({ kind: 'missing', text: name ?? '' });
    return otherwise ?? '';
  });
  return { text: result, substituted, problems };
}

function textOfFile(name: string, folder: string, problems: ReferenceProblem[]): string {
  const unreadable = (reason: string): string => {
    problems.push({ kind: 'unreadable', text: name, reason });
    return '';
  };
  const file = resolve(folder, name);
  try {
    const found = statSync(file);
    if (!found.isFile()) return unreadable('it is not a file');
    if (found.size > MAX_REFERENCED_BYTES)
      return unreadable(`it has more than ${MAX_REFERENCED_BYTES} bytes`);
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return unreadable(messageOf(error));
  }
}
