/** Headers that the proxy reads, by a small number; every other name is `other`. */
export const Header = {
  other: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  maxForwards: 6,
  contact: 7,
  route: 8,
  recordRoute: 9,
  contentLength: 10,
  contentType: 11,
  require: 12,
  proxyRequire: 13,
  supported: 14,
  unsupported: 15,
  expires: 16,
  userAgent: 17,
  server: 18,
  authorization: 19,
  proxyAuthorization: 20,
  event: 21,
  subject: 22,
  path: 23,
  allow: 24,
  maxBreadth: 25,
  timestamp: 26,
  retryAfter: 27,
  reason: 28,
  contentEncoding: 29,
  minExpires: 30,
} as const;
export type HeaderId = (typeof Header)[keyof typeof Header];

/** Every `HeaderId`, at its own index. */
export const HEADER_IDS: readonly HeaderId[] = Object.values(Header);

/** Names in lower case by header, then the compact form where there is one (RFC 3261 7.3.3 and the header's own RFC). */
const NAMES: readonly (readonly [HeaderId, string, string?])[] = [
  [Header.via, 'via', 'v'],
  [Header.from, 'from', 'f'],
  [Header.to, 'to', 't'],
  [Header.callId, 'call-id', 'i'],
  [Header.cseq, 'cseq'],
  [Header.maxForwards, 'max-forwards'],
  [Header.contact, 'contact', 'm'],
  [Header.route, 'route'],
  [Header.recordRoute, 'record-route'],
  [Header.contentLength, 'content-length', 'l'],
  [Header.contentType, 'content-type', 'c'],
  [Header.require, 'require'],
  [Header.proxyRequire, 'proxy-require'],
  [Header.supported, 'supported', 'k'],
  [Header.unsupported, 'unsupported'],
  [Header.expires, 'expires'],
  [Header.userAgent, 'user-agent'],
  [Header.server, 'server'],
  [Header.authorization, 'authorization'],
  [Header.proxyAuthorization, 'proxy-authorization'],
  [Header.event, 'event', 'o'],
  [Header.subject, 'subject', 's'],
  [Header.path, 'path'],
  [Header.allow, 'allow'],
  [Header.maxBreadth, 'max-breadth'],
  [Header.timestamp, 'timestamp'],
  [Header.retryAfter, 'retry-after'],
  [Header.reason, 'reason'],
  [Header.contentEncoding, 'content-encoding', 'e'],
  [Header.minExpires, 'min-expires'],
];

/** Compact forms of headers that have no number, from the IANA registry. */
const OTHER_COMPACT: readonly (readonly [string, string])[] = [
  ['accept-contact', 'a'],
  ['referred-by', 'b'],
  ['request-disposition', 'd'],
  ['reject-contact', 'j'],
  ['identity-info', 'n'],
  ['refer-to', 'r'],
  ['allow-events', 'u'],
  ['session-expires', 'x'],
  ['identity', 'y'],
];

/** The other spelling, compact or long, of a name in lower case; null when it has only one. */
export function otherSpelling(name: string): string | null {
  return SPELLINGS.get(name) ?? null;
}
const SPELLINGS = new Map<string, string>(OTHER_COMPACT.flatMap(([long, short]) => bothWays(long, short)));
for (const [, long, short] of NAMES) {
  if (short !== undefined) for (const [a, b] of bothWays(long, short)) SPELLINGS.set(a, b);
}
function bothWays(long: string, short: string): [string, string][] {
  return [
    [long, short],
    [short, long],
  ];
}

/** The header that a name in lower case means, compact or long. */
export function headerIdByName(name: string): HeaderId {
  return IDS.get(name) ?? Header.other;
}
const IDS = new Map<string, HeaderId>(
  NAMES.flatMap(([id, long, short]) => [[long, id] as const, [short ?? long, id] as const]),
);

const SLOT_COUNT = 256;
/** More bytes than any name has. */
const SLOT_BYTES = 32;
const SLOT_IDS = Array.from<unknown, HeaderId>({ length: SLOT_COUNT }, () => Header.other);
const SLOT_LENGTHS = new Uint8Array(SLOT_COUNT);
const SLOT_NAMES = new Uint8Array(SLOT_COUNT * SLOT_BYTES);

/** Slot of a name by its length, first and last char in lower case; the names above each have one of their own. */
function slotOf(length: number, first: number, last: number): number {
  return (length * 90 + first * 31 + last * 63) & (SLOT_COUNT - 1);
}
for (const [name, id] of IDS) {
  const slot = slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1));
  if (SLOT_LENGTHS[slot] !== 0) throw new Error(`header name ${name} shares its slot with another`);
  SLOT_IDS[slot] = id;
  SLOT_LENGTHS[slot] = name.length;
  for (let i = 0; i < name.length; i++) SLOT_NAMES[slot * SLOT_BYTES + i] = name.charCodeAt(i);
}

/** The header that the name in bytes [start, end) means, in any case, compact or long. Makes no string. */
export function headerIdOf(bytes: Uint8Array, start: number, end: number): HeaderId {
  // | 0x20 is lower case for letters, leaves `-` alone, and maps to them no other char that can stand in a line but `-` itself.
  const length = end - start;
  const slot = slotOf(length, bytes[start]! | 0x20, bytes[end - 1]! | 0x20);
  if (SLOT_LENGTHS[slot] !== length) return Header.other;
  const names = SLOT_NAMES; // read once, as in skipKind
  for (let i = 0, at = slot * SLOT_BYTES; i < length; i++, at++) {
    if ((bytes[start + i]! | 0x20) !== names[at]) return Header.other;
  }
  return SLOT_IDS[slot]!;
}
