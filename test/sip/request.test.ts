import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Header } from '../../core/sip/header-names.ts';
import { MAX_MESSAGE_BYTES, type SipRequest } from '../../core/sip/message.ts';
import { printRequest } from '../../core/sip/print.ts';
import { buildAck, buildCancel, type Outgoing, routeLinesOf } from '../../core/sip/request.ts';
import { lines, POINT, request, response, text } from './sample.ts';

const SENT: Outgoing = {
  uri: 'sip:bob@192.0.2.20',
  via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx',
  routes: 'Route: <sip:next;lr>\r\n',
  changed: null,
};

function printed(msg: SipRequest): string {
  return printRequest(msg, {
    uri: msg.uri,
    edits: msg.edits,
    via: null,
    out: POINT,
    maxForwards: null,
  }).toString('latin1');
}

test('request: ACK of a non-2xx has the To of the response and the rest of the INVITE sent', () => {
  const invite = request(lines({ CSeq: '7 INVITE' }));
  const busy = response(
    lines({ start: 'SIP/2.0 486 Busy Here', To: '<sip:bob@example.com>;tag=b1', CSeq: '7 INVITE' }),
  );
  assert.equal(
    buildAck(invite, busy, SENT).toString('latin1'),
    text([
      'ACK sip:bob@192.0.2.20 SIP/2.0',
      `Via: ${SENT.via}`,
      'Route: <sip:next;lr>',
      'Max-Forwards: 70',
      'From: "Alice" <sip:alice@example.com>;tag=a1',
      'To: <sip:bob@example.com>;tag=b1',
      'Call-ID: c1@192.0.2.9',
      'CSeq: 7 ACK',
      'Content-Length: 0',
    ]),
  );
});

test('request: CANCEL has what the INVITE sent had, one Via, and the lines given', () => {
  const invite = request(lines({ CSeq: '007 INVITE', v: 'SIP/2.0/UDP other' }));
  assert.equal(
    buildCancel(invite, { ...SENT, routes: '' }, 'Reason: SIP;cause=200\r\n').toString('latin1'),
    text([
      'CANCEL sip:bob@192.0.2.20 SIP/2.0',
      `Via: ${SENT.via}`,
      'Max-Forwards: 70',
      'From: "Alice" <sip:alice@example.com>;tag=a1',
      'To: <sip:bob@example.com>',
      'Call-ID: c1@192.0.2.9',
      'CSeq: 7 CANCEL',
      'Reason: SIP;cause=200',
      'Content-Length: 0',
    ]),
  );
});

test('request: a Request-URI that routes set cannot break ACK, CANCEL or a Route', () => {
  const invite = request(lines());
  const uri = 'sip:a@b>\r\nX: y';
  const cancel = buildCancel(invite, { ...SENT, uri }).toString('latin1');
  assert.ok(cancel.startsWith('CANCEL sip:a@b%3E%0D%0AX:%20y SIP/2.0\r\nVia'));
  invite.appendRoute(uri);
  assert.deepEqual(routeUris(request(printed(invite))), ['sip:a@b%3E%0D%0AX:%20y']);
});

const ROUTES = 'Route: <sip:r1;lr>, <sip:r2;lr>\r\nX: y\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>';

function routed(): SipRequest {
  return request(`${lines().join('\r\n')}\r\n${ROUTES}\r\n\r\n`);
}
function routeUris(msg: SipRequest): string[] {
  const routes = msg.routes();
  assert.ok(routes.ok);
  return routes.value.map((route) => route.nameAddr.uriText);
}

test('request: routes come in order over lines and lists', () => {
  const msg = routed();
  assert.deepEqual(routeUris(msg), ['sip:r1;lr', 'sip:r2;lr', 'sip:r3', 'sip:r4;lr']);
  const routes = msg.routes();
  assert.ok(routes.ok);
  assert.equal(msg.routes(), routes);
  assert.deepEqual(
    routes.value.map((route) => msg.head.slice(route.start, route.end)),
    ['<sip:r1;lr>', '<sip:r2;lr>', '"a, b" <sip:r3>;p="x,y"', '<sip:r4;lr>'],
  );
});

test('request: a malformed Route is a fault, and then nothing is removed', () => {
  const msg = request(lines({ Route: '<sip:a>, <sip:b' }));
  assert.equal(msg.routes().ok, false);
  msg.removeRoute(0);
  assert.equal(msg.edits.size, 0);
});

const REMOVALS: readonly (readonly [number[], string])[] = [
  [[0], 'Route: <sip:r2;lr>\r\nX: y\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>\r\n'],
  [[1], 'Route: <sip:r1;lr>\r\nX: y\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>\r\n'],
  [[0, 0], 'X: y\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>\r\n'],
  [[1, 0], 'X: y\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>\r\n'],
  [[3], 'Route: <sip:r1;lr>, <sip:r2;lr>\r\nX: y\r\nROUTE: "a, b" <sip:r3>;p="x,y"\r\n'],
  [[2, 2], 'Route: <sip:r1;lr>, <sip:r2;lr>\r\nX: y\r\n'],
  [[0, 0, 0, 0], 'X: y\r\n'],
  [[3, 2, 1, 0], 'X: y\r\n'],
  [[9], `${ROUTES}\r\n`],
];
for (const [removals, left] of REMOVALS) {
  test(`request: removing route values ${removals.join(', ')} leaves the others as they were`, () => {
    const msg = routed();
    for (const i of removals) msg.removeRoute(i);
    assert.equal(printed(msg), `${lines().join('\r\n')}\r\n${left}\r\n`);
    const again = request(printed(msg));
    assert.deepEqual(routeUris(again), routeUris(msg));
  });
}

test('request: the middle, then the last of three values in a line', () => {
  const msg = request(lines({ Route: '<sip:a>, <sip:b>, <sip:c>' }));
  msg.removeRoute(1);
  msg.removeRoute(1);
  assert.equal(printed(msg), text(lines({ Route: '<sip:a>' })));
});

test('request: appended routes come last, in order', () => {
  const msg = routed();
  msg.removeRoute(0);
  msg.appendRoute('sip:x');
  msg.appendRoute('sip:y');
  assert.deepEqual(routeUris(msg), ['sip:r2;lr', 'sip:r3', 'sip:r4;lr']);
  assert.deepEqual(routeUris(request(printed(msg))), ['sip:r2;lr', 'sip:r3', 'sip:r4;lr', 'sip:x', 'sip:y']);
  const plain = request(lines());
  plain.appendRoute('sip:x');
  assert.deepEqual(routeUris(request(printed(plain))), ['sip:x']);
});

test('request: routeLinesOf gives the Route lines that are printed', () => {
  const msg = routed();
  msg.removeRoute(0);
  msg.appendRoute('sip:x');
  const edits = msg.edits.fork();
  edits.insert(msg.headersStart, (out) => `Record-Route: <sip:${out.sentBy};lr>\r\nroute : <sip:top;lr>\r\n`);
  edits.insert(msg.headersEnd, 'X-Route: no\r\n');
  assert.equal(
    routeLinesOf(msg, edits),
    'route : <sip:top;lr>\r\nRoute: <sip:r2;lr>\r\nROUTE: "a, b" <sip:r3>;p="x,y" ,\r\n\t<sip:r4;lr>\r\nRoute: <sip:x>\r\n',
  );
  assert.equal(routeLinesOf(request(lines()), request(lines()).edits), '');
});

test('request: routeLinesOf leaves out lines that were removed', () => {
  const msg = request(lines({ Route: '<sip:a;lr>' }));
  msg.removeRoute(0);
  assert.equal(routeLinesOf(msg, msg.edits), '');
});

test('request: headers are found up to the last byte that a message may have', () => {
  const end = `\r\nX-Last: ${'l'.repeat(40)}\r\n\r\n`;
  const start = `${lines().join('\r\n')}\r\nSubject: `;
  const filled = start + 's'.repeat(MAX_MESSAGE_BYTES - start.length - end.length) + end;
  const msg = request([filled.slice(0, -4)]);
  assert.equal(msg.head.length, MAX_MESSAGE_BYTES);
  const last = msg.findName('X-Last');
  assert.equal(msg.value(last), 'l'.repeat(40));
  assert.equal(msg.headerEnd(last), msg.headersEnd);
  assert.equal(msg.first(Header.subject)?.length, MAX_MESSAGE_BYTES - start.length - end.length);
});

test('request: once compacted it reads and prints as before', () => {
  const msg = request(lines());
  const read = () => [msg.callId, msg.cseq, msg.fromTag, msg.toTag, msg.topVia.branch, msg.parsedUri];
  msg.edits.insert(msg.headersEnd, 'X-A: 1\r\n');
  msg.edits.insert(msg.headersEnd, 'X-B: 2\r\n');
  const [before, print] = [read(), printed(msg)];
  msg.compact();
  assert.deepEqual(read(), before);
  assert.equal(printed(msg), print);
});
