import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault } from '../../../modules/sanity/faults.ts';
import { ALL_MESSAGE_CHECKS, MessageCheck, messageFault } from '../../../modules/sanity/message-checks.ts';
import { UriCheck, uriFault } from '../../../modules/sanity/uri-checks.ts';
import { parseMessage, SipRequest } from '../../../core/index.ts';
import { parsed, received, request, text } from '../fake-core.ts';

const none = { extensions: new Set<string>() };

const LINES = [
  'INVITE sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKa1',
  'From: <sip:alice@example.org>;tag=fa1',
  'To: <sip:bob@example.com>',
  'Call-ID: c1@198.51.100.7',
  'CSeq: 17 INVITE',
];

/** The good request with the line that starts like `line` replaced by it. */
function having(line: string): SipRequest {
  const name = line.slice(0, line.indexOf(':') + 1);
  const lines = LINES.map((good) => (good.startsWith(name) ? line : good));
  const msg = parsed(text(lines.includes(line) ? lines : [...lines, line]));
  assert(msg instanceof SipRequest);
  return msg;
}

function lacking(name: string): SipRequest {
  const msg = parsed(text(LINES.filter((line) => !line.startsWith(`${name}:`))));
  assert(msg instanceof SipRequest);
  return msg;
}

const digest = (params: string, name = 'Authorization') =>
  request({ headers: [`${name}: Digest ${params}`] });
const DIGEST = 'username="a", realm="r", nonce="n", uri="sip:r", response="0"';

test('checks: a good request passes all of them', () => {
  const msg = request({ headers: ['Expires: 4294967295', `Authorization: Digest ${DIGEST}`], body: 'x' });
  assert.equal(messageFault(msg, ALL_MESSAGE_CHECKS, none), null);
  assert.equal(uriFault(msg, 15), null);
});

test('checks: each finds its fault, and says nothing without its mask', () => {
  const rows: [mask: number, msg: SipRequest, code: Fault['code']][] = [
    [MessageCheck.ruriScheme, request({ uri: 'mailto:bob@example.com' }), 416],
    ...['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name): [number, SipRequest, 400] => [
      MessageCheck.requiredHeaders,
      lacking(name),
      400,
    ]),
    [MessageCheck.viaSipVersion, having('Via: SIP/3.0/UDP 198.51.100.7;branch=z9hG4bKa1'), 505],
    [MessageCheck.viaSipVersion, having('Via: SOP/2.0/UDP 198.51.100.7;branch=z9hG4bKa1'), 505],
    [MessageCheck.viaSipVersion, having('Via: nonsense'), 400],
    [MessageCheck.viaProtocol, having('Via: SIP/2.0/ICMP 198.51.100.7;branch=z9hG4bKa1'), 400],
    [MessageCheck.viaProtocol, having('Via: nonsense'), 400],
    [MessageCheck.cseqMethod, having('CSeq: 17 BYE'), 400],
    [MessageCheck.cseqMethod, having('CSeq: 17'), 400],
    [MessageCheck.cseqValue, having('CSeq: 2147483648 INVITE'), 400],
    [MessageCheck.cseqValue, having('CSeq: -1 INVITE'), 400],
    [MessageCheck.expiresValue, having('Expires: 4294967296'), 400],
    [MessageCheck.expiresValue, having('Expires: -1'), 400],
    [MessageCheck.expiresValue, having('Expires: '), 400],
    [MessageCheck.expiresValue, request({ headers: ['Expires: 1', 'Expires: soon'] }), 400],
    [MessageCheck.proxyRequire, having('Proxy-Require: foo'), 420],
    [MessageCheck.digestCredentials, digest('realm="r", nonce="n", uri="u", response="0"'), 400],
    [MessageCheck.digestCredentials, digest(DIGEST.replace('nonce="n", ', '')), 400],
    [MessageCheck.digestCredentials, digest(DIGEST.replace('realm="r"', 'realm=""')), 400],
    [MessageCheck.digestCredentials, digest(`${DIGEST},`), 400],
    [MessageCheck.digestCredentials, digest('username="a'), 400],
    [MessageCheck.digestCredentials, digest('username="a"', 'Proxy-Authorization'), 400],
    [MessageCheck.duplicatedTags, having('To: <sip:bob@example.com>;tag=1;tag=2'), 400],
    [MessageCheck.duplicatedTags, having('From: <sip:bob@example.com>;tag=1;TAG=2'), 400],
    [MessageCheck.authorization, having('Authorization: Digest nonsense'), 400],
    [MessageCheck.authorization, having('Authorization: Basic'), 400],
    [MessageCheck.topVia, having('Via: nonsense'), 400],
  ];
  for (const [mask, msg, code] of rows) {
    assert.equal(messageFault(msg, mask, none)?.code, code, `${mask}: ${msg.head}`);
    assert.equal(messageFault(msg, 0, none), null);
  }
});

test('checks: what is odd but right passes', () => {
  const rows: [mask: number, msg: SipRequest][] = [
    [MessageCheck.viaSipVersion, having('Via: SIP / 2.0 / UDP 198.51.100.7;branch=z9hG4bKa1')],
    [MessageCheck.viaProtocol, having('Via: SIP/2.0/wss 198.51.100.7;branch=z9hG4bKa1')],
    [MessageCheck.cseqValue, having('CSeq: 2147483647 INVITE')],
    [MessageCheck.contentLength, request({ body: 'abc' })],
    [MessageCheck.digestCredentials, digest(DIGEST.replace('"n"', '""').replace('"0"', '""'))],
    [MessageCheck.digestCredentials, digest('username="a, \\"b\\"",realm="r",nonce="n",uri="u",response=0')],
    [MessageCheck.digestCredentials, having('Authorization: Bearer abc')],
    [MessageCheck.authorization, having('Authorization: Bearer abc')],
  ];
  for (const [mask, msg] of rows) assert.equal(messageFault(msg, mask, none), null, `${mask}: ${msg.head}`);
});

test('checks: Proxy-Require may name the extensions of the parameter in any case, and the reply names the others', () => {
  const msg = request({ headers: ['Proxy-Require: Foo, bar', 'Proxy-Require: , baz'] });
  assert.deepEqual(messageFault(msg, MessageCheck.proxyRequire, { extensions: new Set(['foo']) }), {
    code: 420,
    reason: 'Bad Extension',
    headers: 'Unsupported: bar, baz\r\n',
  });
  const all = { extensions: new Set(['foo', 'bar', 'baz']) };
  assert.equal(messageFault(msg, MessageCheck.proxyRequire, all), null);
});

test('checks: each URI is read when its mask is given', () => {
  const rows: [mask: number, msg: SipRequest][] = [
    [UriCheck.requestUri, request({ uri: 'sip:bob@example.com:99999' })],
    [UriCheck.from, having('From: <sip:alice@>;tag=1')],
    [UriCheck.to, having('To: <nonsense>')],
    [UriCheck.contact, having('Contact: <sip:a@example.org>, <sip:@>')],
    [UriCheck.contact, having('Contact: "a')],
  ];
  for (const [mask, msg] of rows) {
    assert.equal(uriFault(msg, mask)?.code, 400, msg.head);
    assert.equal(uriFault(msg, 15 - mask), null, msg.head);
  }
  assert.equal(uriFault(having('Contact: *'), UriCheck.contact), null);
});

test('checks: find what the core refuses before any handler', () => {
  const version = parseMessage(text(['INVITE sip:b@example.com SIP/3.0', ...LINES.slice(1)]), received);
  assert(!version.ok && version.msg instanceof SipRequest);
  assert.equal(messageFault(version.msg, MessageCheck.ruriSipVersion, none)?.code, 505);
  for (const length of ['3', '-1', 'x']) {
    const lines = [...LINES, `Content-Length: ${length}`].join('\r\n');
    const result = parseMessage(Buffer.from(`${lines}\r\n\r\nab`), received);
    assert(!result.ok && result.msg instanceof SipRequest, length);
    assert.equal(messageFault(result.msg, MessageCheck.contentLength, none)?.code, 400, length);
  }
});
