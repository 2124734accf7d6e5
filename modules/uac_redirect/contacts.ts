import { Header, headerParam, parseNameAddr, type SipResponse, type Uri } from '../../core/index.ts';

/** A Contact of a redirect. */
export interface Contact {
  /** Its URI as it stands, a byte string. */
  readonly text: string;
  readonly uri: Uri;
  /** Its preference, 0 to 1. */
  readonly q: number;
}

/** One header line with what stands in it. */
interface Line {
  readonly header: number;
  readonly values: readonly { readonly text: string; readonly contact: Contact | null }[];
}

/** A qvalue (RFC 3261 25.1). */
const Q = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** The lines of Contacts of a response; those that are malformed hold none, and stay as they are. */
function linesOf(response: SipResponse, noQ: number): Line[] {
  const lines: Line[] = [];
  for (let i = response.find(Header.contact); i >= 0; i = response.find(Header.contact, i)) {
    const values: Line['values'][number][] = [];
    const end = response.valueEnd(i);
    for (let at = response.valueStart(i); at < end; ) {
      const parsed = parseNameAddr(response, at, end);
      if (!parsed.ok) {
        values.push({ text: response.head.slice(at, end), contact: null });
        break;
      }
      const { value } = parsed;
      const q = headerParam(value.params, 'q');
      values.push({
        text: response.head.slice(at, value.end).trim(),
        contact: value.uri.ok
          ? { text: value.uriText, uri: value.uri.value, q: q !== null && Q.test(q) ? Number(q) : noQ }
          : null,
      });
      at = value.end + 1;
    }
    lines.push({ header: i, values });
  }
  return lines;
}

/** The Contacts of a response, highest q first, in their order where it is the same. `noQ` is the q of those without one. */
export function contactsOf(response: SipResponse, noQ: number): Contact[] {
  return linesOf(response, noQ)
    .flatMap(({ values }) => values.flatMap(({ contact }) => contact ?? []))
    .toSorted((a, b) => b.q - a.q);
}

/**
 * Takes Contacts off a response before it goes on (RFC 3261 16.7 step 4).
 * @returns whether any is left.
 */
export function removeContacts(response: SipResponse, isUsed: (contact: Contact) => boolean): boolean {
  let isAnyLeft = false;
  for (const { header, values } of linesOf(response, 0)) {
    const kept = values.filter(({ contact }) => contact === null || !isUsed(contact));
    if (kept.length > 0) isAnyLeft = true;
    if (kept.length === values.length) continue;
    if (kept.length === 0) response.edits.remove(response.headerStart(header), response.headerEnd(header));
    else {
      const text = kept.map((value) => value.text).join(', ');
      response.edits.replace(response.valueStart(header), response.valueEnd(header), text);
    }
  }
  return isAnyLeft;
}
