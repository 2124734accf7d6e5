/** Messages one after another, as a stream brings them: recorded calls in the test material. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Framing } from '../../core/sip/framing.ts';
import { material } from '../torture/material.ts';
import { carrier, carry } from './carrier.ts';
import { viaValues } from './flow-message.ts';

/** Start lines: those of requests, and status lines with a header behind them (others stand in bodies of message/sipfrag). */
const START_LINE = /^(?:[A-Z]+ \S+ SIP\/2\.0\r\n|SIP\/2\.0 \d{3} [^\r\n]*\r\n(?=[\w-]+ *:))/gm;
const PIECE_BYTES = [1, 7, 1_460, Number.MAX_SAFE_INTEGER];

/** The messages of a stream, each up to the next: what separates them is at its end. */
function messagesOf(stream: string): string[] {
  const starts = [...stream.matchAll(START_LINE)].map(({ index }) => index);
  return starts.map((start, i) => stream.slice(start, starts[i + 1] ?? stream.length));
}

function contentLength(text: string): number | null {
  const found = /^Content-Length *: *(\d+)/im.exec(text.slice(0, text.indexOf('\r\n\r\n')));
  return found === null ? null : Number(found[1]);
}

/** What comes out when the stream arrives in pieces of this size: messages, and why it ended if it did. */
function framed(stream: string, pieceBytes: number): string[] {
  const framing = new Framing();
  const found: string[] = [];
  for (let at = 0; at < stream.length; at += pieceBytes) {
    framing.add(Buffer.from(stream.slice(at, at + pieceBytes), 'latin1'));
    for (let next = framing.next(); next.kind !== 'more'; next = framing.next()) {
      if (next.kind === 'message') found.push(next.bytes.toString('latin1'));
      if (next.kind === 'fault') return [...found, next.reason];
    }
  }
  return found;
}

const PROTOCOLS: Readonly<Record<string, 'udp' | 'tcp' | 'tls'>> = { udp: 'udp', tcp: 'tcp', tls: 'tls' };
/** How many requests of a stream a proxy can carry, at least. */
const REQUESTS: Readonly<Record<string, number>> = { generic: 50, 'lioneagle-sipparser': 5 };

for (const name of ['generic', 'lioneagle-sipparser']) {
  const file = material(`flows/stream/${name}.txt`);
  const skip = file === null && `no test material: flows/stream/${name}.txt`;
  const messages = file === null ? [] : messagesOf(readFileSync(file, 'latin1'));
  const whole = messages.filter((text) => contentLength(text) !== null);

  for (const pieceBytes of PIECE_BYTES) {
    const pieces = pieceBytes === Number.MAX_SAFE_INTEGER ? 'one piece' : `pieces of ${pieceBytes} bytes`;
    test(`streams: ${name} in ${pieces} comes apart into its messages`, { skip }, () => {
      assert.ok(whole.length > 20);
      const expected = whole.map((text) => {
        const end = text.indexOf('\r\n\r\n') + 4 + (contentLength(text) ?? 0);
        assert.match(text.slice(end), /^(?:\r\n)*$/, 'nothing but line ends up to the next');
        return text.slice(0, end);
      });
      assert.deepEqual(framed(whole.join(''), pieceBytes), expected);
    });
  }

  test(`streams: ${name}: a proxy carries each request, and changes only what is its own`, {
    skip,
  }, async () => {
    let carried = 0;
    for (const text of messages) {
      const protocol = /^[A-Z]+ [^]*?^Via: SIP\/2\.0\/(UDP|TCP|TLS) /m.exec(text)?.[1]?.toLowerCase();
      if (text.startsWith('SIP/') || protocol === undefined) continue;
      // No sender writes received into its own Via: a slip.
      if (viaValues(text)[0]?.includes(';received=')) continue;
      const request = text.slice(0, text.indexOf('\r\n\r\n') + 4 + (contentLength(text) ?? 0));
      await carry(await carrier(PROTOCOLS[protocol] ?? assert.fail(protocol)), request);
      carried += 1;
    }
    assert.ok(carried >= REQUESTS[name]!);
  });
}

const generic = material('flows/stream/generic.txt');
test('streams: generic: where a Content-Length is missing the stream ends', {
  skip: generic === null && 'no test material: flows/stream/generic.txt',
}, () => {
  const without = messagesOf(readFileSync(generic ?? assert.fail(), 'latin1')).filter(
    (text) => contentLength(text) === null,
  );
  assert.ok(without.length > 20);
  for (const text of without)
    assert.deepEqual(framed(`${text.trimEnd()}\r\n\r\n`, 100), ['no Content-Length']);
});
