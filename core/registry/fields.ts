/** An object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object whose members can be asked for. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
