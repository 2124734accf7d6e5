import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { applyEdits, type Edit, Edits } from '../../core/sip/edits.ts';
import { checkMessage, parseMessage, type SipRequest, type SipResponse } from '../../core/sip/message.ts';
import { parseNameAddr } from '../../core/sip/name-addr.ts';
import { markReceived, printRequest, printResponse } from '../../core/sip/print.ts';
import { buildReply, replyTarget, responseHop } from '../../core/sip/reply.ts';
import { routeLinesOf } from '../../core/sip/request.ts';
import { parseUri, printUri, type Uri, uriEquals } from '../../core/sip/uri.ts';
import { lines, POINT, RECEIVED, text } from './sample.ts';

const NAMES = [
  'Via',
  'v',
  'Route',
  'record-route',
  'Subject',
  'X-Any',
  'l-x',
  'CONTACT',
  'Max-Forwards',
  'To',
  'm',
];
const white = fc.constantFrom('', ' ', '\t', '  ', '\r\n ', ' \r\n\t');
/** Any byte that may stand in a value. */
const valueChar = fc.integer({ min: 0, max: 255 }).filter((code) => code !== 10 && code !== 13);
const value = fc.array(valueChar, { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
const header = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom('', ' ', '\t '), white, value, white, value)
  .map(([name, gap, before, first, fold, second]) => `${name}${gap}:${before}${first}${fold}${second}`);
const body = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const message = fc
  .tuple(
    fc.constantFrom('INVITE sip:a@[::1] SIP/2.0', 'FOO tel:1 sip/2.0', 'SIP/2.0 200 OK', 'SIP/2.0 183 '),
    fc.array(header, { maxLength: 12 }),
    body,
  )
  .map(([start, headers, payload]) => text([start, ...headers], payload));

function parse(bytes: string): SipRequest | SipResponse {
  const result = parseMessage(Buffer.from(bytes, 'latin1'), RECEIVED);
  if (!result.ok) throw new Error(`${result.reason} at ${result.at}`);
  return result.msg;
}

function print(msg: SipRequest, edits: Edits = msg.edits): string {
  return printRequest(msg, { uri: msg.uri, edits, via: null, out: POINT, maxForwards: null }).toString(
    'latin1',
  );
}

test('property: printing a request without edits gives the bytes that came', () => {
  fc.assert(
    fc.property(message, (bytes) => {
      const msg = parse(bytes);
      if (msg.kind === 'request') assert.equal(print(msg), bytes);
      assert.equal(msg.head + msg.body.toString('latin1'), bytes);
    }),
    { numRuns: 1000 },
  );
});

test('property: the index covers the head without gaps', () => {
  fc.assert(
    fc.property(message, (bytes) => {
      const msg = parse(bytes);
      let at = msg.headersStart;
      for (let i = 0; i < msg.headerCount; i++) {
        assert.equal(msg.headerStart(i), at);
        assert.ok(msg.valueStart(i) > at && msg.valueStart(i) <= msg.valueEnd(i));
        at = msg.headerEnd(i);
        assert.ok(msg.valueEnd(i) < at);
        assert.equal(msg.findName(msg.name(i), i - 1), i);
      }
      assert.equal(at, msg.headersEnd);
    }),
    { numRuns: 1000 },
  );
});

test('property: a Via on top changes nothing else', () => {
  fc.assert(
    fc.property(message, (bytes) => {
      const msg = parse(bytes);
      if (msg.kind !== 'request') return;
      const via = 'SIP/2.0/UDP me';
      const { uri, edits } = msg;
      const printed = printRequest(msg, { uri, edits, via, out: POINT, maxForwards: null }).toString(
        'latin1',
      );
      assert.equal(printed.replace(`Via: ${via}\r\n`, ''), bytes);
    }),
  );
});

const change = fc.tuple(fc.nat(40), fc.nat(12), fc.constantFrom('', 'a', 'bc'));

/** Whether another edit removes the place of this one: all that it replaces, or both chars that it stands between. */
function isRemoved({ at, removed }: Edit, i: number, edits: Edits): boolean {
  return edits.list.some((other, j) => {
    if (removed === 0) return other.at < at && at < other.at + other.removed;
    const covers = other.at <= at && at + removed <= other.at + other.removed;
    return covers && (other.removed > removed || j > i);
  });
}

test('property: edits remove the chars they name, keep all others, and insert what no other one removes', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      const head = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ#$%&';
      const edits = new Edits();
      const gone = new Set<number>();
      for (const [at, removed, inserted] of changes) {
        edits.replace(at, Math.min(at + removed, head.length), inserted);
        for (let i = at; i < at + removed; i++) gone.add(i);
      }
      const result = applyEdits(head, { start: 0, end: head.length }, edits.list, POINT);
      const kept = head
        .split('')
        .filter((_, i) => !gone.has(i))
        .join('');
      assert.equal(result.replaceAll(/[abc]/g, ''), kept);
      const texts = edits.list
        .filter((edit, i) => !isRemoved(edit, i, edits))
        .toSorted((a, b) => a.at - b.at);
      assert.equal(result.replaceAll(/[^abc]/g, ''), texts.map((edit) => edit.text).join(''));
    }),
    { numRuns: 1000 },
  );
});

/** Does all that a proxy does with a message; nothing of it may throw, whatever the bytes. */
function handle(bytes: Buffer): void {
  const result = parseMessage(bytes, RECEIVED);
  const { msg } = result;
  if (msg === null) return;
  const rejection = result.ok ? checkMessage(msg) : result;
  msg.vias();
  msg.contacts();
  for (let i = 0; i < msg.headerCount; i++) assert.ok(msg.name(i) !== '' && msg.value(i) !== null);
  if (msg.kind === 'response') {
    responseHop(msg);
    if (rejection === null) printResponse(msg, POINT);
    return;
  }
  const routes = msg.routes();
  if (routes.ok && routes.value.length > 0) msg.removeRoute(routes.value.length - 1);
  markReceived(msg);
  replyTarget(msg);
  routeLinesOf(msg, msg.edits);
  assert.ok(print(msg).length > 0);
  const reply = parseMessage(buildReply(msg, 400, 'Bad Request', { toTag: 't' }), RECEIVED);
  assert.ok(reply.ok, 'a reply that does not parse');
  if (rejection === null) assert.equal(checkMessage(reply.msg), null);
}

test('property: no bytes make anything throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => handle(Buffer.from(bytes))),
    { numRuns: 1000 },
  );
});

const VALID = text(
  lines({
    Via: 'SIP/2.0/UDP [2001:db8::9]:5061;branch=z9hG4bK1;rport;received="x", SIP/2.0/TCP b;maddr=1.2.3.4',
    Route: '<sip:a;lr>, "b, c" <sip:d>\r\n ;x=y',
    Contact: '<sip:a@[::1]:5060;x?y=z>;q=1, *',
    'Content-Length': '4',
  }),
  'body',
);
const mutation = fc.tuple(
  fc.nat(VALID.length),
  fc.nat(3),
  fc.oneof(
    fc.constantFrom(
      '',
      '\r',
      '\n',
      '\r\n',
      '\r\n ',
      '"',
      '<',
      '>',
      ',',
      ';',
      '=',
      ':',
      '@',
      '[',
      ']',
      '%',
      '\0',
      '\xff',
    ),
    value,
  ),
);

test('property: no mutation of a valid message makes anything throw', () => {
  const starts = ['INVITE sip:bob@example.com SIP/2.0', 'SIP/2.0 200 OK'];
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 5 }), fc.constantFrom(...starts), (mutations, start) => {
      let bytes = VALID.replace(starts[0] ?? '', start);
      for (const [at, removed, inserted] of mutations) {
        bytes = bytes.slice(0, at) + inserted + bytes.slice(at + removed);
      }
      handle(Buffer.from(bytes, 'latin1'));
    }),
    { numRuns: 5000 },
  );
});

const escaped = fc.constantFrom('%00', '%41', '%2f', '%ff');
const piece = (chars: string): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...chars.split('')), escaped), { minLength: 1, maxLength: 8 })
    .map((all) => all.join(''));
const user = piece("aZ09-_.!~*'()&=+$,;?/");
const host = fc.oneof(fc.constantFrom('h', 'a.b-c.d', '192.0.2.1', '[::1]', '[2001:db8::192.0.2.1]'));
const uriParts = fc.record({
  scheme: fc.constantFrom('sip', 'sips'),
  user: fc.option(user),
  host,
  port: fc.option(fc.integer({ min: 1, max: 65_535 })),
  params: fc.array(fc.record({ name: piece('abz09-[]/:&+$'), value: fc.option(piece('aZ09-[]/:&+$=')) }), {
    maxLength: 3,
  }),
  headers: fc.option(piece('aZ09=&?/:+$[]')),
});

test('property: a URI printed and parsed again is the same URI', () => {
  fc.assert(
    fc.property(uriParts, fc.option(piece('aZ09&=+$,')), (parts, secret) => {
      const uri: Omit<Uri, 'text'> = { ...parts, password: parts.user === null ? null : secret };
      const printed = printUri(uri);
      const result = parseUri(printed);
      assert.ok(result.ok, printed);
      assert.deepEqual(result.value, {
        text: printed,
        ...uri,
        params: uri.params.map(({ name, value: v }) => ({ name: name.toLowerCase(), value: v })),
      });
      assert.ok(uriEquals(result.value, result.value));
      const again = parseUri(printUri(result.value));
      assert.ok(again.ok && uriEquals(again.value, result.value));
    }),
    { numRuns: 1000 },
  );
});

test('property: no text makes parseUri or parseNameAddr throw, and faults stand inside the text', () => {
  const anyText = fc.oneof(
    value,
    value.map((rest) => `sip:${rest}`),
    value.map((rest) => `"a" <sip:${rest}`),
  );
  fc.assert(
    fc.property(anyText, (input) => {
      for (const result of [parseUri(input), parseNameAddr(input)]) {
        if (!result.ok) assert.ok(result.at >= 0 && result.at <= input.length);
      }
    }),
    { numRuns: 2000 },
  );
});
