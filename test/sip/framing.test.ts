import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Framed, Framing, MAX_STREAM_HEAD_BYTES } from '../../core/sip/framing.ts';
import { MAX_MESSAGE_BYTES } from '../../core/sip/message.ts';

function message(body: string, more = ''): string {
  return `MESSAGE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function short(next: Framed): string {
  if (next.kind === 'message') return next.bytes.toString('latin1');
  return next.kind === 'fault' ? `fault: ${next.reason}` : next.kind;
}

/** Everything that comes out when a stream arrives in these pieces, but for `more`. */
function framed(...pieces: readonly (string | Buffer)[]): string[] {
  const framing = new Framing();
  const found: string[] = [];
  for (const piece of pieces) {
    framing.add(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece));
    for (;;) {
      const next = short(framing.next());
      if (next === 'more') break;
      found.push(next);
      if (next.startsWith('fault')) return found;
    }
  }
  return found;
}

test('framing: a message in one piece comes out as it is, without a copy', () => {
  const framing = new Framing();
  const bytes = Buffer.from(message('body'));
  framing.add(bytes);
  const found = framing.next();
  assert.equal(found.kind, 'message');
  assert.equal(found.kind === 'message' && found.bytes.buffer, bytes.buffer);
  assert.equal(framing.next().kind, 'more');
  assert.equal(framing.partial, false);
});

test('framing: several messages in one piece come out one by one', () => {
  const all = [message('one'), message(''), message('three\r\n\r\n')];
  assert.deepEqual(framed(all.join('')), all);
});

test('framing: a message comes out of however many pieces (CHECKLIST 134)', () => {
  const bodies = fc.array(fc.string({ maxLength: 60, unit: 'grapheme-ascii' }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(400)), (texts, cuts) => {
      const all = texts.map((text) => message(text));
      const stream = all.join('');
      const places = [
        0,
        ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b),
        stream.length,
      ];
      const pieces = places.slice(1).map((place, i) => stream.slice(places[i], place));
      assert.deepEqual(framed(...pieces), all);
    }),
  );
});

test('framing: byte by byte, a message of the largest size comes out whole', () => {
  const head = message('x'.repeat(60_000)).indexOf('\r\n\r\n') + 4;
  const all = message('x'.repeat(MAX_MESSAGE_BYTES - head));
  assert.equal(all.length, MAX_MESSAGE_BYTES);
  assert.deepEqual(framed(...all.split('')), [all]);
});

test('framing: what comes later does not change a message that came out', () => {
  const framing = new Framing();
  const [first, second] = [message('first'), message('second')];
  framing.add(Buffer.from(first.slice(0, 10)));
  framing.add(Buffer.from(first.slice(10) + second.slice(0, 10)));
  const found = framing.next();
  framing.add(Buffer.from(second.slice(10)));
  assert.equal(short(found), first);
  assert.equal(short(framing.next()), second);
});

test('framing: an empty line between messages is left out (RFC 3261 7.5)', () => {
  assert.deepEqual(framed('\r\n', message('a'), '\r\n', message('b')), [message('a'), message('b')]);
});

for (const pieces of [['\r\n\r\n'], ['\r\n', '\r\n'], ['\r', '\n\r', '\n']]) {
  test(`framing: a double CRLF in ${pieces.length} pieces is a ping`, () => {
    assert.deepEqual(framed(...pieces, message('a'), ...pieces), ['ping', message('a'), 'ping']);
  });
}

test('framing: a CRLF behind a message and one more are no ping before and after another message', () => {
  assert.deepEqual(framed(message('a'), '\r\n', message('b'), '\r\n'), [message('a'), message('b')]);
});

test('framing: bytes of a message that is not whole are told of', () => {
  const framing = new Framing();
  framing.add(Buffer.from('MESS'));
  assert.equal(framing.next().kind, 'more');
  assert.equal(framing.partial, true);
});

const FAULTS: readonly [what: string, stream: string, fault: string, hasHead: boolean][] = [
  ['no Content-Length', 'OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n', 'no Content-Length', true],
  ['a Content-Length that is no number', message('a', 'l: x\r\n'), 'Content-Length is not a number', true],
  ['Content-Lengths that differ', message('a', 'l: 2\r\n'), 'Content-Lengths that differ', true],
  [
    'a Content-Length in a line with a lone LF',
    'OPTIONS sip:a SIP/2.0\r\nA: b\nContent-Length: 0\r\n\r\n',
    'no Content-Length',
    true,
  ],
  [
    'a body that is too large',
    `OPTIONS sip:a SIP/2.0\r\nContent-Length: ${MAX_MESSAGE_BYTES}\r\n\r\n`,
    `message of more than ${MAX_MESSAGE_BYTES} bytes`,
    true,
  ],
  [
    'a Content-Length beyond all bounds',
    `OPTIONS sip:a SIP/2.0\r\nContent-Length: ${'9'.repeat(400)}\r\n\r\n`,
    `message of more than ${MAX_MESSAGE_BYTES} bytes`,
    true,
  ],
  [
    'a head without an end',
    'A'.repeat(MAX_STREAM_HEAD_BYTES + 1),
    `head of more than ${MAX_STREAM_HEAD_BYTES} bytes`,
    false,
  ],
  [
    'a head that is too large',
    `A: ${'a'.repeat(MAX_STREAM_HEAD_BYTES)}\r\n\r\n`,
    `head of more than ${MAX_STREAM_HEAD_BYTES} bytes`,
    false,
  ],
];
for (const [what, stream, fault, hasHead] of FAULTS) {
  test(`framing: ${what} loses the framing`, () => {
    const framing = new Framing();
    framing.add(Buffer.from(stream, 'latin1'));
    const found = framing.next();
    assert.deepEqual(short(found), `fault: ${fault}`);
    assert.equal(found.kind === 'fault' && found.head !== null, hasHead);
  });
}

test('framing: Content-Lengths that agree are well', () => {
  assert.deepEqual(framed(message('ab', 'l: 2\r\n')), [message('ab', 'l: 2\r\n')]);
});

test('framing: any bytes in any pieces are taken without an exception', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc
      .constantFrom('\r\n', '\r', '\n\r\n', 'Content-Length: 3\r\n', 'a: b', 'OPTIONS sip:a SIP/2.0\r\n')
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const stream = Buffer.concat(pieces).toString('latin1');
      const whole = framed(stream);
      const cut = framed(...pieces.map((bytes) => Buffer.from(bytes)));
      assert.deepEqual(cut, whole);
    }),
  );
});
