/** A message of the torture suites about which both differ, with the class of what each does. */
interface KnownMessage {
  readonly kamaiki: string;
  readonly kamailio: string;
  readonly why: string;
}

/** A way in which both differ, as `difference` words it, about such messages. */
interface KnownKind {
  readonly kind: RegExp;
  readonly message: RegExp;
  readonly why: string;
}

const UNREADABLE =
  'Kamailio drops what its parser cannot read, before its routes see it; kamaiki says why (RFC 3261 16.3, 21.4.1)';
const answered = (kamaiki: string): KnownMessage => ({ kamaiki, kamailio: 'dropped', why: UNREADABLE });

/** Torture messages about which both differ though the RFC allows what each does. */
export const KNOWN_MESSAGES: ReadonlyMap<string, KnownMessage> = new Map([
  ['rfc4475/ncl.dat', answered('4xx')],
  ['rfc4475/quotbal.dat', answered('4xx')],
  ['rfc4475/lwsstart.dat', answered('4xx')],
  ['rfc4475/mcl01.dat', answered('4xx')],
  ['rfc4475/badvers.dat', answered('5xx')],
  [
    'rfc4475/trws.dat',
    {
      kamaiki: '4xx',
      kamailio: 'forwarded',
      why: 'Kamailio sends spaces behind the version on; RFC 4475 3.1.2.10 asks for 400, or for a line put right',
    },
  ],
  [
    'rfc4475/badaspec.dat',
    {
      kamaiki: '4xx',
      kamailio: 'forwarded',
      why: 'Kamailio takes spaces around the URI in To; RFC 4475 3.1.2.14 allows this, and 400',
    },
  ],
  [
    'rfc4475/unksm2.dat',
    {
      kamaiki: 'forwarded',
      kamailio: '4xx',
      why: 'Kamailio takes no scheme that it does not know in From; a proxy does not use that URI (RFC 3261 16.3 item 1)',
    },
  ],
]);

/** The ways in which both differ about mutated messages, each explained. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  {
    kind: /^400 Bad Request \(.+\) \| dropped$/,
    message: /^/,
    why: UNREADABLE,
  },
  {
    kind: /^dropped \| 400 CSeq method does not match request method$/,
    // Its first word is no token.
    message: /^(?![\w.!%*+`'~-]+ )/,
    why: 'Kamailio takes any word for a method, and finds another in CSeq; to kamaiki a line without a method is no request (RFC 3261 7.1, 25.1)',
  },
  {
    kind: /^forwarded \| 400 Content-Length mis-match$/,
    message: /^/,
    why: 'Kamailio refuses a datagram with bytes behind the body; kamaiki discards them (RFC 3261 18.3)',
  },
  {
    kind: /^forwarded \| dropped$/,
    message:
      /^(?:content-length|l)[ \t]*:[ \t]*(\d+)\r\n(?:.*\r\n)*?(?:content-length|l)[ \t]*:[ \t]*\1\r\n/im,
    why: 'Kamailio drops a message with two Content-Lengths; kamaiki sends it on when they agree (RFC 4475 3.3.9 forbids those that do not)',
  },
  {
    kind: /^forwarded \| dropped$/,
    message: /\r\n[\w.!%*+`'~-]*[!%*`'][\w.!%*+`'~-]*[ \t]*:/,
    why: "Kamailio drops a message with one of !%*`' in the name of a header; a token may hold them (RFC 3261 25.1), and a proxy hands such a header on (16.6)",
  },
];

/** The entry for a difference about a message; null for one that nobody has explained. */
export function explanationOf(kind: string, message: string): KnownKind | null {
  return KNOWN_KINDS.find((known) => known.kind.test(kind) && known.message.test(message)) ?? null;
}
