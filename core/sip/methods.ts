import { asciiBytes, type HeadText, skipToken, standsAt } from './head-text.ts';

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

const METHOD_BYTES: readonly Uint8Array[] = METHODS.map(asciiBytes);

/** The method that fills [start, end): for the known ones always the same constant; null when it is no token. Methods are case-sensitive (RFC 3261 7.1). */
export function methodAt({ text, bytes }: HeadText, start: number, end: number): string | null {
  for (let i = 0; i < METHODS.length; i++) {
    const wanted = METHOD_BYTES[i]!;
    if (wanted.length === end - start && standsAt(bytes, start, wanted)) return METHODS[i]!;
  }
  return end > start && skipToken(bytes, start, end) === end ? text.slice(start, end) : null;
}
