import { errors } from '../../core/index.ts';

/** Header lines of RFC 3261 25.1: a token, a colon, no line end but CRLF, folded lines with something in them. */
const HEADER_LINES = /^(?:[\w\-.!%*+`'~]+[ \t]*:[^\r\n]*\r\n(?:[ \t]+[^ \t\r\n][^\r\n]*\r\n)*)+$/;

/**
 * Complete header lines, with the CRLF at their end that routes may leave out. `caller` is for the error.
 * @throws ERR_HEADER_LINES when the text is something else.
 */
export function headerLines(caller: string, bytes: string): string {
  const lines = bytes.endsWith('\n') ? bytes : `${bytes}\r\n`;
  if (HEADER_LINES.test(lines)) return lines;
  throw errors.ERR_HEADER_LINES(caller, JSON.stringify(bytes), '`Name: value` lines that end in CRLF');
}
