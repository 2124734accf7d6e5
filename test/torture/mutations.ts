import * as fc from 'fast-check';

/** A message by its parts; headers without line end. */
export interface Lines {
  readonly start: string;
  readonly headers: readonly string[];
  readonly body: string;
}

type Mutation = (lines: Lines) => Lines;

const COMPACT: Readonly<Record<string, string>> = {
  Via: 'v',
  From: 'f',
  To: 't',
  'Call-ID': 'i',
  Contact: 'm',
  'Content-Length': 'l',
  'Content-Type': 'c',
  Supported: 'k',
};

/** Pieces that parsers stumble over. */
const PIECES = [
  ...'\r|\n|\t| |,|;|"|<|>|@|:|[|]|%|=|?|*|\\|\0|\x7f|\xff|\''.split('|'),
  '\r\n ',
  '\r\n\r\n',
  '\r\nRoute: <sip:evil.example.com;lr>',
  '\nVia: SIP/2.0/UDP evil.example.com;branch=z9hG4bKevil',
  '\rX: y',
  '%0d%0a',
  'sip:',
  ';lr',
  ';rport=0',
  ';received=::1',
  ';maddr=10.0.0.9',
  ';branch=z9hG4bK',
  ';tag=',
  '"\\"',
  '4294967296',
  '-1',
  '9'.repeat(300),
  ';a'.repeat(300),
];
const EXTRA_HEADERS = [
  'Via: SIP/2.0/TCP [::1];branch=z9hG4bKlower, SIP/2.0/UDP x',
  'Content-Length: 0',
  'l: 5',
  'Max-Forwards: 1',
  'Record-Route: <sip:a>, <sip:b;lr>',
  'Route: , <sip:a>',
  'Proxy-Require: any',
  'CSeq : 1 INVITE',
  'X-Any:',
  'no header',
  ' fold',
  '',
];

function replaced(headers: readonly string[], i: number, ...by: readonly string[]): string[] {
  return [...headers.slice(0, i), ...by, ...headers.slice(i + 1)];
}

function spliced(text: string, at: number, removed: number, piece: string): string {
  const place = Math.floor(at * (text.length + 1));
  return text.slice(0, place) + piece + text.slice(place + removed);
}

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary-ascii', maxLength: 6 }));

/** A mutation of one header, chosen by its place. */
function ofHeader(change: (header: string, headers: readonly string[]) => readonly string[]) {
  return part.map<Mutation>((at) => (lines) => {
    const i = Math.floor(at * lines.headers.length);
    const header = lines.headers[i];
    if (header === undefined) return lines;
    return { ...lines, headers: replaced(lines.headers, i, ...change(header, lines.headers)) };
  });
}

function splitHeader(header: string): readonly [name: string, value: string] {
  const colon = header.indexOf(':');
  return colon < 0 ? [header, ''] : [header.slice(0, colon), header.slice(colon + 1)];
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  ofHeader(() => []),
  ofHeader((header) => [header, header]),
  ofHeader((header) => [header.toUpperCase()]),
  ofHeader((header) => [header.replaceAll(' ', '\r\n\t ')]),
  ofHeader((header) => {
    const [name, value] = splitHeader(header);
    return [`${COMPACT[name] ?? name.toLowerCase()} \t:${value}`];
  }),
  ofHeader((header) => [`${header},${splitHeader(header)[1]}`]),
  fc.constantFrom(...EXTRA_HEADERS).chain((extra) => ofHeader((header) => [extra, header])),
  part.chain((other) =>
    ofHeader((header, headers) => {
      const donor = headers[Math.floor(other * headers.length)] ?? '';
      return [`${splitHeader(header)[0]}:${splitHeader(donor)[1]}`];
    }),
  ),
  fc
    .tuple(part, fc.nat(8), piece)
    .chain(([at, removed, inserted]) => ofHeader((header) => [spliced(header, at, removed, inserted)])),
  fc.tuple(part, fc.nat(4), piece).map(
    ([at, removed, inserted]) =>
      (lines: Lines): Lines => ({
        ...lines,
        start: spliced(lines.start, at, removed, inserted),
      }),
  ),
  part.map((at) => (lines: Lines): Lines => {
    const i = Math.floor(at * lines.headers.length);
    return { ...lines, headers: [...lines.headers.slice(i), ...lines.headers.slice(0, i)] };
  }),
  piece.map(
    (inserted) =>
      (lines: Lines): Lines => ({ ...lines, body: lines.body + inserted }),
  ),
);

/** One of the messages given, changed in up to four places: headers doubled, dropped, folded, joined, swapped, renamed, or with pieces in them. */
export function mutatedMessage(messages: readonly Lines[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...messages), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([message, mutations]) => {
      const { start, headers, body } = mutations.reduce((lines, change) => change(lines), message);
      return [start, ...headers, '', body].join('\r\n');
    });
}
