import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Header } from '../../core/sip/header-names.ts';
import { MAX_HEADERS, MAX_MESSAGE_BYTES, parseMessage } from '../../core/sip/message.ts';
import { lines, parseText, RECEIVED, rejected, rejectedRequest, request, response, text } from './sample.ts';

test('message: indexes a request with its parts', () => {
  const msg = request(text(lines({ 'Content-Type': 'application/sdp', 'Content-Length': '4' }), 'v=0\n'));
  assert.equal(msg.method, 'INVITE');
  assert.equal(msg.originalUri, 'sip:bob@example.com');
  assert.equal(msg.headerCount, 8);
  assert.equal(msg.body.toString(), 'v=0\n');
  assert.equal(msg.callId, 'c1@192.0.2.9');
  assert.deepEqual({ ...msg.cseq }, { number: 1, method: 'INVITE' });
  assert.equal(msg.fromTag, 'a1');
  assert.equal(msg.toTag, '');
  assert.equal(msg.from.displayName, '"Alice"');
  assert.equal(msg.topVia.branch, 'z9hG4bK1');
  assert.equal(msg.maxForwards, 70);
  assert.equal(msg.head.slice(0, msg.headersStart), 'INVITE sip:bob@example.com SIP/2.0\r\n');
  assert.equal(msg.head.slice(msg.headersEnd), '\r\n');
});

test('message: indexes a response with its parts', () => {
  const msg = response(lines({ start: 'SIP/2.0 180 Ringing' }));
  assert.equal(msg.status, 180);
  assert.equal(msg.reason, 'Ringing');
  assert.equal(msg.topVia.host, '192.0.2.9');
});

test('message: the body is a slice of the datagram', () => {
  const bytes = Buffer.from(text(lines(), 'body'), 'latin1');
  const result = parseMessage(bytes, RECEIVED);
  assert.ok(result.ok);
  bytes[bytes.length - 1] = 0x21;
  assert.equal(result.msg.body.toString(), 'bod!');
});

const COMPACT: readonly (readonly [string, string])[] = [
  ['i', 'Call-ID'],
  ['m', 'Contact'],
  ['e', 'Content-Encoding'],
  ['l', 'Content-Length'],
  ['c', 'Content-Type'],
  ['f', 'From'],
  ['s', 'Subject'],
  ['k', 'Supported'],
  ['t', 'To'],
  ['v', 'Via'],
  ['o', 'Event'],
];
for (const [compact, long] of COMPACT) {
  test(`message: ${compact} in any case is ${long}`, () => {
    for (const name of [compact, compact.toUpperCase()]) {
      const msg = request(['OPTIONS sip:a SIP/2.0', `${name}: 0`]);
      assert.equal(msg.findName(long), 0);
      assert.equal(msg.findName(compact), 0);
      assert.notEqual(msg.headerId(0), Header.other);
    }
  });
}

test('message: every header the proxy reads is known by its name in any case', () => {
  for (const [key, id] of Object.entries(Header)) {
    if (id === Header.other) continue;
    const name = key === 'callId' ? 'Call-ID' : key.replaceAll(/[A-Z]/g, (capital) => `-${capital}`);
    for (const spelling of [name, name.toUpperCase(), name.toLowerCase()]) {
      const msg = request(['OPTIONS sip:a SIP/2.0', `${spelling}: 0`]);
      assert.equal(msg.headerId(0), id, spelling);
      assert.equal(msg.name(0), spelling);
    }
  }
});

test('message: findName knows headers without a number, and their compact forms', () => {
  const msg = request(['OPTIONS sip:a SIP/2.0', 'X-Any: 1', 'r: <sip:c>', 'x-ANY: 2', 'Refer-To: <sip:d>']);
  assert.equal(msg.findName('x-any'), 0);
  assert.equal(msg.findName('X-Any', 0), 2);
  assert.equal(msg.findName('X-Any', 2), -1);
  assert.equal(msg.findName('Refer-To'), 1);
  assert.equal(msg.findName('R', 1), 3);
  assert.equal(msg.findName('X-Other'), -1);
});

test('message: first gives the unfolded value, or null', () => {
  const msg = request(['OPTIONS sip:a SIP/2.0', 'Subject: one \r\n\t two\r\n three ', 'Subject: second']);
  assert.equal(msg.first(Header.subject), 'one two three');
  assert.equal(msg.first(Header.route), null);
  assert.equal(msg.find(Header.subject, 0), 1);
});

const VALUES: readonly (readonly [string, string, string])[] = [
  ['white space around', 'Subject \t : \t hello \t ', 'hello'],
  ['nothing', 'Subject:', ''],
  ['only white space', 'Subject:   ', ''],
  ['a fold before the value', 'Subject:\r\n hello', 'hello'],
  ['a fold with nothing on it', 'Subject: hello\r\n ', 'hello'],
  ['a colon in the value', 'Subject: a:b', 'a:b'],
  ['NUL and high bytes', 'Subject: a\0\xff\x01b', 'a\0\xff\x01b'],
];
for (const [what, line, value] of VALUES) {
  test(`message: reads a value with ${what}`, () => {
    const msg = request(['OPTIONS sip:a SIP/2.0', line, 'X: y']);
    assert.equal(msg.value(0), value);
    assert.equal(msg.head.slice(msg.headerStart(0), msg.headerEnd(0)), `${line}\r\n`);
    assert.equal(msg.headerEnd(0), msg.headerStart(1));
    assert.equal(msg.headerEnd(1), msg.headersEnd);
  });
}

test('message: skips CRLFs before the start line', () => {
  const msg = request(`\r\n\r\n${text(lines())}`);
  assert.ok(msg.head.startsWith('INVITE '));
});

const BAD_HEADS: readonly (readonly [string, string])[] = [
  ['an LF alone in a header', 'Subject: a\nRoute: <sip:evil>'],
  ['a CR alone in a header', 'Subject: a\rRoute: <sip:evil>'],
  ['CR CR LF', 'Subject: a\r'],
  ['an LF that ends a line', 'Subject: a\nX: b'],
  ['a line without a colon', 'Subject'],
  ['a line without a name', ': value'],
  ['a name that is no token', 'Sub(ject: a'],
  ['a fold between name and colon', 'Subject\r\n : a'],
  ['a space inside a name', 'Sub ject: a'],
  ['a NUL in a name', 'Sub\0ject: a'],
];
for (const [what, line] of BAD_HEADS) {
  test(`message: rejects ${what} with 400, and its reply can be built from the rest`, () => {
    const result = rejected([...lines(), line, 'Subject: fine']);
    assert.equal(result.status, 400);
    const msg = rejectedRequest([...lines(), line, 'Subject: fine']);
    assert.equal(msg.cseq.method, 'INVITE');
    assert.equal(msg.first(Header.subject), 'fine');
    assert.equal(msg.find(Header.route), -1);
  });
}

test('message: a second malformed line is left out like the first', () => {
  const msg = rejectedRequest([...lines(), 'Subject: a\nb', 'Subject: c\nd']);
  assert.equal(msg.find(Header.subject), -1);
});

test('message: rejects a first header line that is folded under nothing', () => {
  const [start, ...headers] = lines();
  assert.equal(rejected([start ?? '', ' folded: x', ...headers]).status, 400);
});

test('message: rejects a head without an empty line', () => {
  assert.equal(rejected(`${lines().join('\r\n')}\r\n`).status, 400);
  assert.equal(rejected(lines().join('\r\n')).status, 400);
});

const START_LINES: readonly (readonly [string, 400 | 505 | null])[] = [
  ['INVITE  sip:a@b SIP/2.0', 400],
  ['INVITE sip:a@b  SIP/2.0', 400],
  ['INVITE sip:a@b SIP/2.0 ', 400],
  ['INVITE sip:a@b SIP/2.0\t', 400],
  ['INVITE\tsip:a@b SIP/2.0', null],
  ['INVITE sip:a b SIP/2.0', 400],
  ['INVITE sip:a@b', 400],
  ['INVITE', null],
  ['INVITE ', 400],
  ['INVITE  SIP/2.0', 400],
  ['INVITE  SIP/3.0', 400],
  ['INVITE sip:a@b SIP/3.0', 505],
  ['INVITE sip:a@b SIP/7.0', 505],
  ['INVITE sip:a@b SIP/2.00', 505],
  ['INVITE sip:a@b sip/1.0', 505],
  ['INVITE sip:a@b SIP/2', 400],
  ['INVITE sip:a@b SIP/.0', 400],
  ['INVITE sip:a@b SIP/2.', 400],
  ['INVITE sip:a@b HTTP/1.1', 400],
  ['INV(ITE sip:a@b SIP/2.0', null],
  [' INVITE sip:a@b SIP/2.0', null],
  ['SIP/2.0 99 Low', null],
  ['SIP/2.0 700 High', null],
  ['SIP/2.0 4294967301 Big', null],
  ['SIP/2.0 20 Short', null],
  ['SIP/2.0 2x0 Odd', null],
  ['SIP/2.0 200', null],
  ['SIP/2.0  200 OK', null],
  ['SIP/3.0 200 OK', null],
  ['SIP/2.0200 OK', null],
];
for (const [start, status] of START_LINES) {
  test(`message: start line ${JSON.stringify(start)} is ${status === null ? 'dropped' : `answered ${status}`}`, () => {
    assert.equal(rejected(lines({ start })).status, status);
  });
}

test('message: a lone line end in the start line is malformed', () => {
  assert.equal(rejected(lines({ start: 'INVITE sip:a@b\n SIP/2.0' })).ok, false);
  assert.equal(rejected(lines({ start: 'INVITE sip:a@b SIP/2.0\r' })).status, 400);
});

test('message: takes the version in any case, unknown methods, and empty or UTF-8 reasons', () => {
  assert.equal(request(lines({ start: 'INVITE sip:a@b sip/2.0' })).method, 'INVITE');
  assert.equal(request(lines({ start: "F%O*O!'~ sip:a@b SIP/2.0" })).method, "F%O*O!'~");
  assert.equal(request(lines({ start: 'invite sip:a@b SIP/2.0' })).method, 'invite');
  assert.equal(response(lines({ start: 'SIP/2.0 100 ' })).reason, '');
  assert.equal(response(lines({ start: 'sIp/2.0 699 \xd0\x9f two  spaces' })).reason, '\xd0\x9f two  spaces');
});

test('message: an ACK and a request without a usable Via are never answered', () => {
  assert.equal(rejected(lines({ start: 'ACK sip:a@b SIP/3.0', CSeq: '1 ACK' })).status, null);
  assert.equal(rejected(lines({ start: 'INVITE sip:a@b SIP/3.0', Via: null })).status, null);
  assert.equal(rejected(lines({ start: 'INVITE sip:a@b SIP/3.0', Via: 'nonsense' })).status, null);
});

test('message: nothing but line ends, and nothing at all, is dropped', () => {
  for (const bytes of ['', '\r\n', '\r\n\r\n\r\n']) {
    const result = rejected(bytes);
    assert.equal(result.status, null);
    assert.equal(result.msg, null);
  }
});

const LENGTHS: readonly (readonly [string, string, string | 400])[] = [
  ['equal to the body', 'Content-Length: 4', 'body'],
  ['shorter than the body', 'Content-Length: 2', 'bo'],
  ['nought', 'Content-Length: 0', ''],
  ['missing', 'X: y', 'body'],
  ['with leading zeros', 'Content-Length: 0004', 'body'],
  ['twice the same', 'Content-Length: 4\r\nl: 4', 'body'],
  ['longer than the body', 'Content-Length: 5', 400],
  ['twice, different', 'Content-Length: 4\r\nl: 2', 400],
  ['negative', 'Content-Length: -1', 400],
  ['signed', 'Content-Length: +4', 400],
  ['empty', 'Content-Length:', 400],
  ['hexadecimal', 'Content-Length: 0x4', 400],
  ['a list', 'Content-Length: 4, 4', 400],
  ['beyond every number', `Content-Length: ${'9'.repeat(400)}`, 400],
];
for (const [what, line, body] of LENGTHS) {
  test(`message: Content-Length ${what}`, () => {
    const message = text([...lines(), line], 'body');
    if (body === 400) assert.equal(rejected(message).status, 400);
    else assert.equal(request(message).body.toString(), body);
  });
}

test(`message: takes ${MAX_HEADERS} headers and no more`, () => {
  const own = lines();
  const filled = [...own, ...Array.from({ length: MAX_HEADERS - own.length + 1 }, (_, i) => `X-${i}: y`)];
  assert.equal(request(filled).headerCount, MAX_HEADERS);
  const result = rejected([...filled, 'One-More: y']);
  assert.equal(result.status, 400);
  assert.equal(result.reason, 'more than 256 headers');
});

test(`message: takes ${MAX_MESSAGE_BYTES} bytes and no more`, () => {
  const head = text(lines());
  const body = 'x'.repeat(MAX_MESSAGE_BYTES - head.length);
  assert.equal(request(head + body).body.length, body.length);
  const result = rejected(`${head}${body}x`);
  assert.equal(result.status, 413);
});

test('message: on a stream one whose Content-Length is too much for the limit is 413; in a datagram it is cut off, 400', () => {
  const head = text(lines({ 'Content-Length': String(MAX_MESSAGE_BYTES) }));
  for (const [protocol, status] of [
    ['tcp', 413],
    ['tls', 413],
    ['udp', 400],
    ['ws', 400],
  ] as const) {
    const result = parseText(head, { ...RECEIVED, point: { ...RECEIVED.point, protocol } });
    assert.ok(!result.ok);
    assert.equal(result.status, status, protocol);
  }
  const short = text(lines({ 'Content-Length': '9' }));
  const cut = parseText(short, { ...RECEIVED, point: { ...RECEIVED.point, protocol: 'tcp' } });
  assert.equal(cut.ok || cut.status, 400);
});

test('message: a large message is indexed like a small one', () => {
  const msg = request(text([...lines(), `X: ${'y'.repeat(5000)}`], 'z'.repeat(9000)));
  assert.equal(msg.value(6).length, 5000);
  assert.equal(msg.body.length, 9000);
});

test('message: one that is kept for long keeps its own bytes only, not those that it was cut from', () => {
  const message = text(lines(), 'body');
  const slab = Buffer.alloc(16_384, 'x');
  slab.write(message, 1_000, 'latin1');
  const result = parseMessage(slab.subarray(1_000, 1_000 + message.length), RECEIVED);
  assert.ok(result.ok);
  result.msg.compact();
  slab.fill('y');
  assert.equal(result.msg.bytes.buffer.byteLength, message.length);
  assert.equal(result.msg.body.toString('latin1'), 'body');
  assert.equal(result.msg.callId, 'c1@192.0.2.9');
});

test('message: known methods are the same constants everywhere', () => {
  const msg = request(lines({ start: 'REFER sip:a@b SIP/2.0', CSeq: '1 REFER' }));
  assert.equal(msg.method, 'REFER');
  assert.equal(msg.cseq.method, 'REFER');
});
