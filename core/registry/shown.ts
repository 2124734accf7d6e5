/** Longest piece of a user's value that an error message repeats, chars. */
const MAX_SHOWN_CHARS = 60;

/** Prints a value that a user wrote, for an error message: as JSON, cut when long. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint' || typeof value === 'symbol' || value === undefined) return String(value);
  if (typeof value === 'number') return String(value); // JSON has no NaN and no Infinity
  return excerpt(asJson(value));
}

/** The same with the type where that is not plain to see: a text that looks like a number, a bigint. */
export function shownTyped(value: unknown): string {
  const type = typeof value;
  return type === 'string' || type === 'bigint' ? `${shown(value)} (${type})` : shown(value);
}

/** Text for an error message, cut when long. */
export function excerpt(text: string): string {
  return text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, MAX_SHOWN_CHARS)}…`;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, or a bigint inside: its kind must do.
    return Object.prototype.toString.call(value);
  }
}

/** The message of whatever was thrown. Errors of libraries may have one that is no text, or none that can be read. */
export function messageOf(thrown: unknown): string {
  try {
    const message: unknown = thrown instanceof Error ? thrown.message : thrown;
    return thrown instanceof Error && typeof message === 'string' ? message : shown(message);
  } catch {
    return 'an error without a message that can be read';
  }
}
