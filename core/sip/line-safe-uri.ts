import { encodeText } from './text.ts';

/**
 * A URI, which routes may have set to anything, safe to stand in a start line or between angle brackets: what could end it there is escaped
 * (RFC 3261 25.1, RFC 3986 2.1).
 */
export function lineSafeUri(uri: string): string {
  let i = 0;
  while (i < uri.length && isUriChar(uri.charCodeAt(i))) i++;
  if (i === uri.length) return uri;
  let text = '';
  for (const char of encodeText(uri)) {
    const code = char.charCodeAt(0);
    text += isUriChar(code) ? char : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

function isUriChar(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x3c && code !== 0x3e;
}
