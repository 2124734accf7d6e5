import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenPoint, Received } from '../../core/sip/hop.ts';
import type { SipRequest } from '../../core/sip/message.ts';
import { markReceived, printRequest, printResponse } from '../../core/sip/print.ts';
import { lines, POINT, RECEIVED, request, response, text } from './sample.ts';

const TCP: ListenPoint = { ...POINT, protocol: 'tcp' };

interface Options {
  readonly via?: string | null;
  readonly maxForwards?: number | null;
  readonly out?: ListenPoint;
}
function printed(msg: SipRequest, { via = null, maxForwards = null, out = POINT }: Options = {}): string {
  return printRequest(msg, { uri: msg.uri, edits: msg.edits, via, out, maxForwards }).toString('latin1');
}

test('print: puts a Via on top and lowers Max-Forwards, and leaves the rest as it was', () => {
  const message = text(
    lines({ 'MaX-fOrWaRdS ': '\t0068 ', 'Max-Forwards': null, X: 'a\r\n  b \0\xff' }),
    'body',
  );
  const wanted = message.replace('\r\n', '\r\nVia: SIP/2.0/UDP me;branch=z\r\n').replace('0068', '67');
  assert.equal(printed(request(message), { via: 'SIP/2.0/UDP me;branch=z', maxForwards: 67 }), wanted);
});

test('print: adds Max-Forwards where there is none', () => {
  const message = text(lines({ 'Max-Forwards': null }), 'body');
  const wanted = message.replace('\r\n\r\n', '\r\nMax-Forwards: 70\r\n\r\n');
  assert.equal(printed(request(message), { maxForwards: 70 }), wanted);
});

test('print: adds Max-Forwards where routes removed it, and leaves a value that they wrote', () => {
  const removed = request(lines());
  removed.edits.remove(removed.headerStart(1), removed.headerEnd(1));
  assert.match(printed(removed, { maxForwards: 69 }), /\r\nCSeq: 1 INVITE\r\nMax-Forwards: 69\r\n\r\n$/);
  const rewritten = request(lines());
  rewritten.edits.replace(rewritten.valueStart(1), rewritten.valueEnd(1), '10');
  assert.match(printed(rewritten, { maxForwards: 69 }), /\r\nMax-Forwards: 10\r\nFrom/);
});

test('print: adds no second header beside one that routes have put in the place of the first', () => {
  for (const line of ['Max-Forwards: 10', 'max-forwards :10']) {
    const appended = request(lines());
    appended.edits.remove(appended.headerStart(1), appended.headerEnd(1));
    appended.edits.insert(appended.headersEnd, `X: y\r\n${line}\r\n`);
    const rewritten = request(lines());
    rewritten.edits.replace(rewritten.headerStart(1), rewritten.valueEnd(1), line);
    for (const msg of [appended, rewritten])
      assert.deepEqual(printed(msg, { maxForwards: 69 }).match(/max-forwards.*/gi), [line]);
  }
  const other = request(lines());
  other.edits.replace(other.headerStart(1), other.valueEnd(1), 'X: Max-Forwards: 10');
  assert.match(printed(other, { maxForwards: 69 }), /\r\nMax-Forwards: 69\r\n\r\n$/);
});

test('print: replaces the Request-URI, and leaves the version as it came', () => {
  const msg = request(lines({ start: 'INVITE sip:a@b sip/2.0' }));
  msg.uri = 'sip:c@[2001:db8::1];lr';
  assert.ok(printed(msg).startsWith('INVITE sip:c@[2001:db8::1];lr sip/2.0\r\nVia'));
});

test('print: a Request-URI cannot break the start line', () => {
  const msg = request(lines());
  msg.uri = 'sip:a b\r\nX: y\0<">@\u010a\xe9';
  assert.ok(printed(msg).startsWith('INVITE sip:a%20b%0D%0AX:%20y%00%3C%22%3E@%C4%8A%C3%A9 SIP/2.0\r\nVia'));
});

test('print: the Via comes above what routes put on top', () => {
  const msg = request(lines());
  msg.edits.insert(msg.headersStart, (out) => `Record-Route: <sip:${out.sentBy};lr>\r\n`);
  assert.ok(
    printed(msg, { via: 'V' }).startsWith(
      'INVITE sip:bob@example.com SIP/2.0\r\nVia: V\r\nRecord-Route: <sip:192.0.2.1:5060;lr>\r\nVia: SIP',
    ),
  );
});

test('print: a branch prints its own edits', () => {
  const msg = request(lines());
  const edits = msg.edits.fork();
  edits.insert(msg.headersEnd, 'X: branch\r\n');
  const bytes = printRequest(msg, { uri: 'sip:c', edits, via: null, out: POINT, maxForwards: null });
  assert.match(bytes.toString('latin1'), /^INVITE sip:c SIP.*X: branch\r\n\r\n$/s);
  assert.equal(printed(msg), text(lines()));
});

test('print: a new body brings its Content-Length', () => {
  const withLength = request(text(lines({ l: '4' }), 'body'));
  withLength.newBody = Buffer.from('longer body');
  assert.match(printed(withLength), /\r\nl: 11\r\n\r\nlonger body$/);
  const without = request(text(lines(), 'body'));
  without.newBody = Buffer.alloc(0);
  assert.match(printed(without), /\r\nContent-Length: 0\r\n\r\n$/);
  const twice = request(text(lines({ l: '4', 'Content-Length': '4' }), 'body'));
  twice.newBody = Buffer.from('12345');
  assert.match(printed(twice), /\r\nl: 5\r\nContent-Length: 5\r\n\r\n12345$/);
});

test('print: a new body brings the Content-Type that is given with it', () => {
  const types: readonly (readonly [SipRequest, RegExp])[] = [
    [request(text(lines({ c: 'application/sdp' }), 'body')), /\r\nc: text\/html\r\n/],
    [request(text(lines(), 'body')), /\r\nContent-Type: text\/html\r\n/],
  ];
  for (const [msg, wanted] of types) {
    msg.newBody = Buffer.from('new');
    msg.newContentType = 'text/plain';
    const branch = msg.fork();
    branch.newContentType = 'text/html';
    assert.match(printed(branch), wanted);
    assert.doesNotMatch(printed(branch), /text\/plain|sdp/);
    assert.match(printed(msg), /text\/plain/);
    assert.match(printed(msg.fork()), /text\/plain/);
  }
});

test('print: a stream gets a Content-Length where there is none', () => {
  const message = text(lines(), 'body');
  assert.equal(
    printed(request(message), { out: TCP }),
    message.replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\n'),
  );
  const withLength = text(lines({ 'Content-Length': '4' }), 'body');
  assert.equal(printed(request(withLength), { out: TCP }), withLength);
});

test('print: bodies of every size, and every byte in them, go on as they are', () => {
  const every = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  for (const size of [0, 1, 256, 511, 512, 513, 1_700, 2_048, 40_000]) {
    const body = every.repeat(Math.ceil(size / every.length)).slice(0, size);
    const message = text(lines({ 'Content-Length': String(size) }), body);
    const msg = request(`${message}more`);
    assert.equal(printed(msg, { maxForwards: 69 }), message.replace(': 70', ': 69'));
    assert.equal(msg.wholeText(), message);
  }
});

test('print: bytes behind Content-Length are not sent on', () => {
  const msg = request(text(lines({ 'Content-Length': '4' }), 'body and more'));
  assert.equal(printed(msg), text(lines({ 'Content-Length': '4' }), 'body'));
});

const TOP_VIAS: readonly (readonly [string, string, string])[] = [
  ['its line', 'Via: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b', 'Via: SIP/2.0/UDP b'],
  ['its folded line', 'Via: SIP/2.0/UDP\r\n a\r\n ;x\r\nVia: SIP/2.0/UDP b', 'Via: SIP/2.0/UDP b'],
  ['the first of a list', 'Via: SIP/2.0/UDP a, SIP/2.0/UDP b', 'Via: SIP/2.0/UDP b'],
  ['the first of a folded list', 'v:SIP/2.0/UDP a;x="," ,\r\n SIP/2.0/UDP b', 'v:SIP/2.0/UDP b'],
  ['a line below others', 'X: y\r\nVia: SIP/2.0/UDP a\r\nZ: w', 'X: y\r\nZ: w'],
];
function withVias(vias: string): string {
  return text(['SIP/2.0 200 OK', vias, ...lines({ Via: null }).slice(1)], 'body');
}
for (const [what, vias, left] of TOP_VIAS) {
  test(`print: of the top Via of a response goes ${what}`, () => {
    assert.equal(printResponse(response(withVias(vias)), POINT).toString('latin1'), withVias(left));
  });
}

test('print: a response takes the edits of its message', () => {
  const msg = response(lines({ start: 'SIP/2.0 200 OK', v: 'SIP/2.0/UDP b' }));
  msg.edits.insert(msg.headersEnd, 'X: y\r\n');
  msg.newBody = Buffer.from('n');
  const wanted = text(
    [...lines({ start: 'SIP/2.0 200 OK', Via: null, v: 'SIP/2.0/UDP b' }), 'X: y', 'Content-Length: 1'],
    'n',
  );
  const bytes = printResponse(msg, POINT).toString('latin1');
  assert.deepEqual(bytes.split('\r\n').toSorted(), wanted.split('\r\n').toSorted());
});

const SIX: Received = { ...RECEIVED, address: '2001:db8::7' };
const MARKS: readonly (readonly [string, string, string, Received?])[] = [
  ['a foreign address', 'SIP/2.0/UDP 192.0.2.9', 'SIP/2.0/UDP 192.0.2.9;received=198.51.100.7'],
  ['a name', 'SIP/2.0/UDP host:5060;branch=x', 'SIP/2.0/UDP host:5060;branch=x;received=198.51.100.7'],
  ['its own address', 'SIP/2.0/UDP 198.51.100.7:99', 'SIP/2.0/UDP 198.51.100.7:99'],
  [
    'rport',
    'SIP/2.0/UDP 198.51.100.7;rport;b=c',
    'SIP/2.0/UDP 198.51.100.7;rport=40000;b=c;received=198.51.100.7',
  ],
  ['a forged rport', 'SIP/2.0/UDP h;rport=1', 'SIP/2.0/UDP h;rport=40000;received=198.51.100.7'],
  ['a forged received', 'SIP/2.0/UDP h;received=1.2.3.4;b', 'SIP/2.0/UDP h;received=198.51.100.7;b'],
  [
    'a forged received next to its own address',
    'SIP/2.0/UDP 198.51.100.7;received="x"',
    'SIP/2.0/UDP 198.51.100.7;received=198.51.100.7',
  ],
  [
    'white space',
    'SIP/2.0/UDP h ; RPORT = 1 ; x = y',
    'SIP/2.0/UDP h ; rport=40000 ; x = y;received=198.51.100.7',
  ],
  [
    'a second value',
    'SIP/2.0/UDP h , SIP/2.0/UDP i;rport',
    'SIP/2.0/UDP h;received=198.51.100.7 , SIP/2.0/UDP i;rport',
  ],
  [
    'another IPv6 address',
    'SIP/2.0/UDP [2001:db8::8]:1;rport',
    'SIP/2.0/UDP [2001:db8::8]:1;rport=40000;received=2001:db8::7',
    SIX,
  ],
  [
    'its own IPv6 address in another spelling',
    'SIP/2.0/UDP [2001:DB8:0::7]',
    'SIP/2.0/UDP [2001:DB8:0::7]',
    SIX,
  ],
];
for (const [what, via, wanted, received = RECEIVED] of MARKS) {
  test(`print: markReceived on a Via with ${what}`, () => {
    const msg = request(text(lines({ Via: via })), received);
    markReceived(msg);
    markReceived(msg);
    assert.equal(printed(msg), text(lines({ Via: wanted })));
  });
}
