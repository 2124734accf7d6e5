/** A header line: a token, white space, a colon (RFC 3261 7.3.1, 25.1); or a fold. */
const HEADER_LINE = /^(?:[\w.!%*+`'~-]+[ \t]*:|[ \t])/;
const REQUEST_LINE = /^[\w.!%*+`'~-]+ [^ \t]+ SIP\/2\.0$/;
const CONTENT_LENGTH = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*$/gim;

/**
 * What could make another reader see other headers in a datagram than those that stand in its one block: null when nothing could. Written
 * apart from the parser, and stricter: lines end by CRLF alone.
 */
export function headFault(bytes: Buffer): string | null {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 'no empty line';
  const lines = text.slice(0, end).split('\r\n');
  const [start = '', ...headers] = lines;
  if (lines.some((line) => /[\r\n]/.test(line))) return 'CR or LF alone';
  if (!REQUEST_LINE.test(start)) return 'start line';
  if (headers[0]?.startsWith('Via: ') !== true) return "not the proxy's Via on top";
  if (headers.some((line) => !HEADER_LINE.test(line))) return 'a line that is no header';
  const lengths = [...headers.join('\n').matchAll(CONTENT_LENGTH)].map(([, digits]) => Number(digits));
  const bodyLength = text.length - end - 4;
  return lengths.every((length) => length === bodyLength) ? null : `Content-Length is not ${bodyLength}`;
}
