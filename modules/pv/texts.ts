import { decodeText, encodeText, errors, parseUri, type PvResult } from '../../core/index.ts';

/** Text for handlers from a byte string of a message; null stays null. */
export function readText(bytes: string): string;
export function readText(bytes: string | null): string | null;
export function readText(bytes: string | null): string | null {
  return bytes === null ? null : decodeText(bytes);
}

/**
 * The byte string to put into a message for a value set by a handler. `variable` is for error messages.
 * @throws ERR_PV_VALUE for null, ERR_TEXT_LINE_BREAK for text that would end a line.
 */
export function writeText(variable: string, value: PvResult): string {
  if (value === null) throw errors.ERR_PV_VALUE(variable, 'a text', 'null');
  const bytes = encodeText(String(value));
  if (/[\r\n]/.test(bytes)) throw errors.ERR_TEXT_LINE_BREAK(variable, JSON.stringify(value));
  return bytes;
}

/**
 * The same for a whole URI.
 * @throws ERR_URI_SYNTAX too.
 */
export function writeUri(variable: string, value: PvResult): string {
  const bytes = writeText(variable, value);
  const parsed = parseUri(bytes);
  if (!parsed.ok) throw errors.ERR_URI_SYNTAX(variable, JSON.stringify(value), parsed.reason);
  return bytes;
}
