import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildReply, reasonPhrase, replyTarget, responseHop } from '../../core/sip/reply.ts';
import { lines, parseText, RECEIVED, rejectedRequest, request, response, text } from './sample.ts';

const VIA = 'SIP/2.0/UDP 192.0.2.9:5061;branch=z9hG4bK1';
const MARKED = `${VIA};received=198.51.100.7`;

test('reply: copies Vias in order, From, To with a tag, Call-ID and CSeq', () => {
  const msg = request(lines({ v: 'SIP/2.0/TCP b, SIP/2.0/UDP c', VIA: 'SIP/2.0/UDP d' }));
  assert.equal(
    buildReply(msg, 404, 'Not Found', { toTag: 't1' }).toString('latin1'),
    text([
      'SIP/2.0 404 Not Found',
      `Via: ${MARKED}`,
      'v: SIP/2.0/TCP b, SIP/2.0/UDP c',
      'VIA: SIP/2.0/UDP d',
      'From: "Alice" <sip:alice@example.com>;tag=a1',
      'To: <sip:bob@example.com>;tag=t1',
      'Call-ID: c1@192.0.2.9',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
    ]),
  );
});

const TO_TAGS: readonly (readonly [string, string, string, string])[] = [
  ['is added to an addr-spec', 'sip:a@b', 't', 'sip:a@b;tag=t'],
  ['is not added to one that is there', '<sip:a@b>;tag=old', 't', '<sip:a@b>;tag=old'],
  ['is added next to one inside the URI', '<sip:a@b;tag=u>', 't', '<sip:a@b;tag=u>;tag=t'],
  ['is not added when none is given', '<sip:a@b>', '', '<sip:a@b>'],
  ['is not added to a To that cannot be parsed', '"open <sip:a@b>', 't', '"open <sip:a@b>'],
];
for (const [what, to, toTag, wanted] of TO_TAGS) {
  test(`reply: a To tag ${what}`, () => {
    const reply = buildReply(request(lines({ To: to })), 400, 'Bad', { toTag }).toString('latin1');
    assert.ok(reply.includes(`\r\nTo: ${wanted}\r\n`), reply);
  });
}

test('reply: 100 has the Timestamp, others do not', () => {
  const msg = request(lines({ Timestamp: '54' }));
  assert.match(buildReply(msg, 100, 'Trying', { toTag: '' }).toString('latin1'), /\r\nTimestamp: 54\r\n/);
  assert.doesNotMatch(buildReply(msg, 180, 'Ringing', { toTag: 't' }).toString('latin1'), /Timestamp/);
});

for (const [status, isCopied] of [
  [100, false],
  [101, true],
  [180, true],
  [200, true],
  [299, true],
  [300, false],
  [404, false],
] as const) {
  test(`reply: ${status} ${isCopied ? 'copies' : 'leaves out'} Record-Route`, () => {
    const msg = request(
      lines({ 'Record-Route': '<sip:a;lr>,\r\n <sip:b;lr>', 'record-route': '<sip:c;lr>' }),
    );
    const reply = buildReply(msg, status, 'x', { toTag: 't' }).toString('latin1');
    const routes = '\r\nRecord-Route: <sip:a;lr>,\r\n <sip:b;lr>\r\nrecord-route: <sip:c;lr>\r\n';
    assert.equal(reply.includes(routes), isCopied);
    assert.equal(reply.toLowerCase().includes('record-route'), isCopied);
  });
}

test('reply: takes headers, a body and its type', () => {
  const reply = buildReply(request(lines()), 200, 'OK', {
    toTag: 't',
    headers: 'Allow: INVITE\r\nX: y\r\n',
    body: Buffer.from('\xff\0x', 'latin1'),
    contentType: 'text/plain',
  }).toString('latin1');
  assert.ok(
    reply.endsWith(
      '\r\nAllow: INVITE\r\nX: y\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n\xff\0x',
    ),
  );
});

test('reply: a reason or content type cannot break its line', () => {
  const reply = buildReply(request(lines()), 500, 'a\r\nX: y\u010a', {
    toTag: 't',
    contentType: 'b\nY: z',
  }).toString('latin1');
  assert.ok(reply.startsWith('SIP/2.0 500 a  X: y\xc4\x8a\r\nVia'));
  assert.match(reply, /\r\nContent-Type: b Y: z\r\n/);
});

test('reply: can be built for a request that was rejected', () => {
  const msg = rejectedRequest([
    ...lines({ start: 'INVITE  sip:a SIP/2.0', From: '"open', f: 'twice' }),
    'no colon',
  ]);
  assert.equal(
    buildReply(msg, 400, 'Bad Request', { toTag: 't' }).toString('latin1'),
    text([
      'SIP/2.0 400 Bad Request',
      `Via: ${MARKED}`,
      'From: "open',
      'To: <sip:bob@example.com>;tag=t',
      'Call-ID: c1@192.0.2.9',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
    ]),
  );
});

test('reply: leaves out what the request does not have', () => {
  const msg = rejectedRequest(['INVITE sip:a SIP/3.0', `Via: ${VIA}`]);
  const reply = buildReply(msg, 505, 'x', { toTag: 't' }).toString('latin1');
  assert.equal(reply, text(['SIP/2.0 505 x', `Via: ${MARKED}`, 'Content-Length: 0']));
});

test('reply: is itself a message that parses', () => {
  const result = parseText(buildReply(request(lines()), 200, 'OK', { toTag: 't' }).toString('latin1'));
  assert.ok(result.ok);
  assert.equal(result.msg.toTag, 't');
});

const PHRASES: readonly (readonly [number, string])[] = [
  [100, 'Trying'],
  [200, 'OK'],
  [416, 'Unsupported URI Scheme'],
  [483, 'Too Many Hops'],
  [606, 'Not Acceptable'],
  [150, 'Provisional'],
  [299, 'Successful'],
  [399, 'Redirection'],
  [499, 'Request Failure'],
  [599, 'Server Failure'],
  [699, 'Global Failure'],
  [0, 'Unknown'],
];
for (const [status, phrase] of PHRASES) {
  test(`reply: the phrase of ${status} is ${phrase}`, () => assert.equal(reasonPhrase(status), phrase));
}

const TARGETS: readonly (readonly [string, string, number])[] = [
  ['SIP/2.0/UDP 192.0.2.9', RECEIVED.address, 5060],
  ['SIP/2.0/UDP 192.0.2.9:99', RECEIVED.address, 99],
  ['SIP/2.0/TLS host', RECEIVED.address, 5061],
  ['SIP/2.0/UDP host;rport', RECEIVED.address, 40_000],
  ['SIP/2.0/UDP host:99;rport=7;received=1.2.3.4', RECEIVED.address, 40_000],
  ['SIP/2.0/UDP host:99;received=1.2.3.4', RECEIVED.address, 99],
  ['SIP/2.0/UDP host:99;maddr=224.2.0.1;rport', '224.2.0.1', 99],
  ['SIP/2.0/UDP host;maddr=[ff02::1]', 'ff02::1', 5060],
  ['SIP/2.0/UDP host:99;maddr=name.example', RECEIVED.address, 99],
  ['nonsense', RECEIVED.address, 40_000],
];
for (const [via, address, port] of TARGETS) {
  test(`reply: goes to ${address}:${port} for ${via}`, () => {
    assert.deepEqual(replyTarget(request(lines({ Via: via }))), { address, port });
  });
}

const HOPS: readonly (readonly [string, string, string, number])[] = [
  ['SIP/2.0/UDP h', 'UDP', 'h', 5060],
  ['SIP/2.0/tcp h:99', 'TCP', 'h', 99],
  ['SIP/2.0/TLS h', 'TLS', 'h', 5061],
  ['SIP/2.0/WS h', 'WS', 'h', 80],
  ['SIP/2.0/WSS h', 'WSS', 'h', 443],
  ['SIP/2.0/UDP [2001:db8::1]:7', 'UDP', '2001:db8::1', 7],
  ['SIP/2.0/UDP h:99;received=192.0.2.5', 'UDP', '192.0.2.5', 99],
  ['SIP/2.0/UDP h:99;received=192.0.2.5;rport=7', 'UDP', '192.0.2.5', 7],
  ['SIP/2.0/UDP h:99;received=192.0.2.5;rport', 'UDP', '192.0.2.5', 99],
  ['SIP/2.0/UDP h:99;received=[2001:db8::5]', 'UDP', '2001:db8::5', 99],
  ['SIP/2.0/TCP h:99;received=192.0.2.5;rport=7', 'TCP', '192.0.2.5', 99],
  ['SIP/2.0/TLS h;maddr=192.0.2.9;received=192.0.2.5;rport=7', 'TLS', '192.0.2.5', 5061],
  ['SIP/2.0/UDP h:99;maddr=224.2.0.1;received=192.0.2.5;rport=7', 'UDP', '224.2.0.1', 99],
];
const TOP = 'SIP/2.0/UDP me;branch=z9hG4bK0';
for (const [via, transport, host, port] of HOPS) {
  test(`reply: a response goes on to ${transport} ${host}:${port} for ${via}`, () => {
    const start = 'SIP/2.0 200 OK';
    const wanted = { transport, host, port };
    assert.deepEqual(responseHop(response(lines({ start, Via: TOP, v: via }))), wanted);
    assert.deepEqual(
      responseHop(response(lines({ start, Via: `${TOP} ,\r\n ${via}`, v: 'SIP/2.0/UDP no' }))),
      wanted,
    );
  });
}

test('reply: a response goes nowhere without a second Via, or with a malformed one', () => {
  const start = 'SIP/2.0 200 OK';
  for (const changes of [
    {},
    { v: 'nonsense' },
    { Via: 'nonsense', v: TOP },
    { Via: `${TOP},` },
    { Via: null },
  ]) {
    assert.equal(responseHop(response(lines({ start, ...changes }))), null);
  }
});
