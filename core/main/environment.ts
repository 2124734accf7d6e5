/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What `substitute` made of a text, and what was wrong: variables that are not set, or a `${` that is no reference. */
export interface Substitution {
  readonly text: string;
  readonly substituted: boolean;
  readonly problems: readonly { readonly kind: 'missing' | 'malformed'; readonly text: string }[];
}

/** A `$${`, or a `${` up to the brace that closes it. */
const REFERENCE = /\$\$\{|\$\{[^}]*\}?/g;
const WELL_FORMED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by environment variables, as a shell does: the default also stands in for an empty one.
 * `$${` gives a plain `${`. What a variable holds is not looked into again.
 */
export function substitute(text: string, environment: Environment): Substitution {
  const problems: Substitution['problems'][number][] = [];
  let substituted = false;
  const result = text.replace(REFERENCE, (reference) => {
    if (reference === '$${') return '${';
    const [, name, otherwise] = WELL_FORMED.exec(reference) ?? [];
    if (name === undefined) {
      problems.push({ kind: 'malformed', text: reference });
      return reference;
    }
    substituted = true;
    const value = environment[name];
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value;
    if (otherwise === undefined) problems.push({ kind: 'missing', text: name });
    return otherwise ?? '';
  });
  return { text: result, substituted, problems };
}
