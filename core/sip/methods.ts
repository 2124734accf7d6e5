/** Methods with a constant of their own (RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086, 6665): equal ones are the same string. */
export const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'UPDATE',
  'INFO',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'MESSAGE',
  'PUBLISH',
] as const;

/** The method that stands in [start, end): for the known ones always the same constant. Methods are case-sensitive (RFC 3261 7.1). */
export function methodAt(text: string, start: number, end: number): string {
  for (const method of METHODS) {
    if (method.length === end - start && text.startsWith(method, start)) return method;
  }
  return text.slice(start, end);
}
