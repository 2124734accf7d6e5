/** What a proxy did with a message: sent it on, answered it (with this status and reason) or neither. */
export interface Outcome {
  readonly verdict: 'forwarded' | 'dropped' | `${number} ${string}`;
  /** The message as it was sent on; null when it was not. */
  readonly forwarded: string | null;
}

/** What a proxy has to hand on as it came, by the names that a header has. */
const KEPT: readonly (readonly [label: string, names: RegExp])[] = [
  ['Call-ID', /^(?:call-id|i)$/i],
  ['CSeq', /^cseq$/i],
  ['From', /^(?:from|f)$/i],
  ['To', /^(?:to|t)$/i],
];
const HEADER = /^([^\s:]+)[ \t]*:(.*)$/s;

interface Parts {
  readonly startLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A message's parts, read without the parser under test; a header on several lines is one. */
function partsOf(text: string): Parts {
  const end = text.indexOf('\r\n\r\n');
  const [startLine = '', ...headers] = text.slice(0, end).split(/\r\n(?![ \t])/);
  return { startLine, headers, body: text.slice(end + 4) };
}

/** All values of a header; how much white space stands in them, and how they are folded, does not count. */
function valuesOf({ headers }: Parts, names: RegExp): string {
  const values = headers
    .map((header) => HEADER.exec(header))
    .filter((found) => found !== null && names.test(found[1] ?? ''))
    .map((found) => (found?.[2] ?? '').trim().replaceAll(/\s+/g, ' '));
  return values.join('\n');
}

/** What two proxies sent on differently, of what both must leave as it is. */
export function differingParts(one: string, other: string): string[] {
  const [first, second] = [partsOf(one), partsOf(other)];
  return [
    ...(first.startLine === second.startLine ? [] : ['start line']),
    ...KEPT.filter(([, names]) => valuesOf(first, names) !== valuesOf(second, names)).map(([label]) => label),
    ...(first.body === second.body ? [] : ['body']),
  ];
}

/** What a verdict is by its class: answers are alike by the first digit of their status. */
export function verdictClass(verdict: string): string {
  return /^\d/.test(verdict) ? `${verdict.slice(0, 1)}xx` : verdict;
}

/** In which way kamaiki and Kamailio differ about a message, in words; null when they do the same. */
export function difference(kamaiki: Outcome, kamailio: Outcome): string | null {
  if (kamaiki.forwarded !== null && kamailio.forwarded !== null) {
    const parts = differingParts(kamaiki.forwarded, kamailio.forwarded);
    return parts.length === 0 ? null : `forwarded with another ${parts.join(', ')}`;
  }
  if (verdictClass(kamaiki.verdict) === verdictClass(kamailio.verdict)) return null;
  return `${kamaiki.verdict} | ${kamailio.verdict}`;
}
