import { Header, type NameAddr, parseNameAddr, type SipMessage, type Uri } from '../../core/index.ts';

/** Contact values looked at in one message; with more of them it is left as it is. */
export const MAX_CONTACTS = 32;

/** A Contact URI and where it stands. */
export interface ContactUri {
  readonly uri: Uri;
  /** Offsets in the head of the URI itself, without angle brackets. */
  readonly start: number;
  readonly end: number;
  readonly isBracketed: boolean;
}

/** The SIP and SIPS URIs of all Contacts; none when one is malformed, for `Contact: *` and above `MAX_CONTACTS`. */
export function contactUris(msg: SipMessage): readonly ContactUri[] {
  const found: ContactUri[] = [];
  let count = 0;
  for (let i = msg.find(Header.contact); i >= 0; i = msg.find(Header.contact, i)) {
    const limit = msg.valueEnd(i);
    for (let at = msg.valueStart(i); ; ) {
      const value = parseNameAddr(msg, at, limit);
      count += 1;
      if (!value.ok || count > MAX_CONTACTS) return [];
      const { uri } = value.value;
      if (!uri.ok) return [];
      if (uri.value.host !== '') found.push(placed(msg.head, at, value.value, uri.value));
      if (value.value.end >= limit) break;
      // Behind the comma.
      at = value.value.end + 1;
    }
  }
  return found;
}

/** Finds the URI of a value that starts at `from`: brackets may stand inside a quoted display name too. */
function placed(head: string, from: number, { displayName, uriText }: NameAddr, uri: Uri): ContactUri {
  let at = from;
  while (/\s/.test(head[at]!)) at += 1;
  if (displayName?.startsWith('"') === true) at = closingQuote(head, at) + 1;
  const isBracketed = displayName !== null || head[at] === '<';
  const start = isBracketed ? head.indexOf('<', at) + 1 : at;
  return { uri, start, end: start + uriText.length, isBracketed };
}

function closingQuote(head: string, open: number): number {
  let at = open + 1;
  while (at < head.length && head[at] !== '"') at += head[at] === '\\' ? 2 : 1;
  return at;
}

/** The text of a URI with another address in place of its host and port. */
export function withAddress({ text, host, port, ...uri }: Uri, address: string): string {
  const start = hostStart({ text, headers: uri.headers });
  const end =
    start +
    host.length +
    (port === null ? 0 : (/^:\d+/.exec(text.slice(start + host.length))?.[0].length ?? 0));
  return text.slice(0, start) + address + text.slice(end);
}

/** Offset of the host in the text of a SIP URI: no `@` stands behind the one of the user, but maybe in the headers. */
export function hostStart({ text, headers }: Pick<Uri, 'text' | 'headers'>): number {
  const end = headers === null ? text.length : text.length - headers.length - 1;
  const at = text.lastIndexOf('@', end - 1);
  return (at < 0 ? text.indexOf(':') : at) + 1;
}
