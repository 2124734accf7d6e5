import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, parseUri, uriEquals } from '../../core/index.ts';
import { CALLER, header, request, vias } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarded, linesOf, sending, withHeaders } from './relaying.ts';

test('checklist 001: compact, folded and oddly written headers mean the same as their long form', async () => {
  const seen: unknown[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['pv'],
      request({ msg, pv }) {
        const names = ['Contact', 'Content-Encoding', 'Content-Type', 'Subject', 'Supported'];
        const values = names.map((name) => pv.$hdr(name).get());
        const { branch, host } = msg.topVia;
        seen.push([
          pv.$ci.get(),
          pv.$fu.get(),
          pv.$ft.get(),
          pv.$tu.get(),
          branch,
          host,
          msg.bodyLength,
          values,
        ]);
      },
    }),
  );
  const rest = 'CSEQ : 7  OPTIONS\nMax-Forwards: 70\n\nbody';
  await rig.receive(`OPTIONS sip:bob@10.0.0.3 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKform
Call-ID: form-1
Contact: <sip:alice@10.0.0.2>
Content-Encoding: gzip
Content-Length: 4
Content-Type: application/sdp
From: <sip:alice@10.0.0.2>;tag=a
Subject: lunch, then coffee
Supported: timer
To: <sip:bob@10.0.0.3>
${rest}`);
  await rig.receive(`OPTIONS sip:bob@10.0.0.3 SIP/2.0
v:SIP/2.0/UDP
  10.0.0.2;branch=z9hG4bKform
I:form-1
m :<sip:alice@10.0.0.2>
e: gzip
L:  4
C: application/sdp
f:
	<sip:alice@10.0.0.2>
 ; tag=a
s: lunch,
	then coffee
K:timer
T: <sip:bob@10.0.0.3>
${rest}`);
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[1], seen[0]);
});

test('checklist 002: headers that stand several times keep order, lines and commas', async () => {
  const more = `Route: <sip:10.0.0.7;lr>, <sip:10.0.0.8;lr>
Route: <sip:10.0.0.9;lr>
Record-Route: <sip:10.0.0.4;lr>
Record-Route: <sip:10.0.0.5;lr>,<sip:10.0.0.6;lr>
Authorization: Digest username="a", realm="one"
Authorization: Digest username="a", realm="two"
Via: SIP/2.0/UDP 10.0.0.20;branch=z9hG4bKx, SIP/2.0/UDP 10.0.0.21;branch=z9hG4bKy
`;
  const { sent } = await sending(withHeaders(request(), more));
  const { text, to } = forwarded(sent);
  assert.equal(to, '10.0.0.7:5060');
  for (const name of ['Route', 'Record-Route', 'Authorization'])
    assert.deepEqual(linesOf(text, name), linesOf(more.replaceAll('\n', '\r\n'), name));
  assert.equal(vias(text).at(-1), vias(more.replaceAll('\n', '\r\n'))[0]);
});

test('checklist 005: a Content-Length beyond the datagram gets 400', async () => {
  const { sent } = await sending(request().replace('Content-Length: 0', 'Content-Length: 10'));
  assert.equal(sent.length, 1);
  assert.match(sent[0]!.text, /^SIP\/2\.0 400 /);
});

test('checklist 006: without Content-Length the body is the rest of the datagram', async () => {
  const body = 'v=0\r\n\r\nline\x00\xff';
  const { sent } = await sending(
    `${request().replace('Content-Length: 0\n\n', 'Content-Type: a/b\n\n')}${body}`,
  );
  assert.ok(forwarded(sent).text.endsWith(`\r\n\r\n${body}`));
});

test('checklist 008: malformed headers that no proxy needs go on as they are', async () => {
  const odd = `Date: the day before yesterday
Subject: "never closed
Contact: <<sip:a>
Warning: 999
Expires: soon
`;
  const { sent } = await sending(withHeaders(request(), odd));
  assert.ok(forwarded(sent).text.includes(odd.replaceAll('\n', '\r\n')));
});

test('checklist 009: an unknown method goes on like a known one', async () => {
  const { sent } = await sending(request({ method: 'FOO' }));
  assert.match(forwarded(sent).text, /^FOO sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
});

test('checklist 010: an unknown header goes on byte for byte', async () => {
  const odd = 'x-ANY  :\t a ,b;;c="\xe9\x01" \n  folded \n';
  const { sent } = await sending(withHeaders(request(), odd));
  assert.ok(forwarded(sent).text.includes(odd.replaceAll('\n', '\r\n')));
});

for (const uri of ['nobody:knows.this', 'http://example.com/', 'mailto:bob@example.com']) {
  test(`checklist 011: a Request-URI of another scheme, ${uri}, gets 416`, async () => {
    const { sent } = await sending(request({ uri }));
    assert.equal(sent.length, 1);
    assert.match(sent[0]!.text, /^SIP\/2\.0 416 /);
  });
}

test('checklist 012: a CSeq of another method gets 400', async () => {
  const { sent } = await sending(request({ cseqMethod: 'REGISTER' }));
  assert.equal(sent.length, 1);
  assert.match(sent[0]!.text, /^SIP\/2\.0 400 /);
});

for (const version of ['SIP/3.0', 'SIP/2.1', 'sip/7.0']) {
  test(`checklist 014: version ${version} gets 505`, async () => {
    const { sent } = await sending(request().replace('SIP/2.0\n', `${version}\n`));
    assert.equal(sent.length, 1);
    assert.match(sent[0]!.text, /^SIP\/2\.0 505 /);
  });
}

for (const name of ['Call-ID', 'From', 'To', 'CSeq']) {
  test(`checklist 015: a request without ${name} gets 400`, async () => {
    const { sent } = await sending(request().replace(new RegExp(`^${name}: .*\n`, 'm'), ''));
    assert.deepEqual(
      sent.map(({ text, to }) => [text.slice(0, 11), to]),
      [['SIP/2.0 400', '10.0.0.2:5060']],
    );
  });
}

for (const [what, via] of [
  ['without Via', ''],
  ['with a Via that has no host', 'Via: SIP/2.0/UDP ;branch=z9hG4bKx\n'],
  ['with a Via that has no transport', 'Via: 10.0.0.2;branch=z9hG4bKx\n'],
] as const) {
  test(`checklist 015: a request ${what} is dropped and counted`, async () => {
    const { rig, sent } = await sending(request().replace(/^Via: .*\n/m, via));
    assert.deepEqual(sent, []);
    assert.equal(rig.proxy.counters.rejected, 1);
  });
}

/** After RFC 3261 19.1.4: what makes two URIs one, and what makes them differ. */
const URI_PAIRS: readonly (readonly [string, string, boolean])[] = [
  ['sip:bob@example.com', 'SIP:bob@EXAMPLE.com', true],
  ['sip:bob@example.com', 'sip:Bob@example.com', false],
  ['sip:b%6Fb@example.com', 'sip:bob@example.com', true],
  ['sip:bob@example.com', 'sip:bob@example.com:5060', false],
  ['sip:bob@example.com', 'sip:bob@example.com;transport=udp', false],
  ['sip:bob@example.com;transport=TCP', 'sip:bob@example.com;Transport=tcp', true],
  ['sip:bob@example.com', 'sip:bob@example.com;newer=1', true],
  ['sip:bob@example.com;newer=1', 'sip:bob@example.com;newer=2', false],
  ['sip:bob@example.com', 'sip:bob@example.com;user=phone', false],
  ['sip:bob@example.com', 'sip:bob@example.com;maddr=10.0.0.1', false],
  ['sip:bob@example.com?a=1&b=2', 'sip:bob@example.com?b=2&a=1', true],
  ['sip:bob@example.com', 'sip:bob@example.com?subject=x', false],
  ['sip:bob@example.com', 'sips:bob@example.com', false],
  ['sip:example.com', 'sip:bob@example.com', false],
  ['sip:bob:secret@example.com', 'sip:bob@example.com', false],
];
for (const [a, b, equal] of URI_PAIRS) {
  test(`checklist 016: ${a} ${equal ? 'equals' : 'differs from'} ${b}`, () => {
    const [one, other] = [parseUri(a), parseUri(b)];
    assert.ok(one.ok && other.ok);
    assert.equal(uriEquals(one.value, other.value), equal);
    assert.equal(uriEquals(other.value, one.value), equal);
  });
}

for (const [status, message] of [
  [400, request({ cseqMethod: 'BYE' })],
  [416, request({ uri: 'fax:1' })],
  [420, request({ headers: 'Proxy-Require: foo\n' })],
  [483, request().replace('Max-Forwards: 70', 'Max-Forwards: 0')],
  [505, request().replace('SIP/2.0\n', 'SIP/4.0\n')],
] as const) {
  test(`checklist 017: a ${status} from here copies Vias, From, Call-ID and CSeq and adds a To tag`, async () => {
    const below =
      'Via: SIP/2.0/TCP 10.9.9.8;branch=z9hG4bK2,SIP/2.0/UDP h;branch=z9hG4bK3\nv: SIP/2.0/UDP i\n';
    const { sent } = await sending(withHeaders(message, below));
    const reply = sent.at(-1)!.text;
    assert.ok(reply.startsWith(`SIP/2.0 ${status} `));
    const top = 'Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKcaller1\n';
    assert.ok(reply.includes(`\r\n${(top + below).replaceAll('\n', '\r\n')}`));
    for (const name of ['From', 'Call-ID', 'CSeq'])
      assert.equal(header(reply, name), header(message.replaceAll('\n', '\r\n'), name));
    assert.match(header(reply, 'To'), /^<sip:bob@10\.0\.0\.3>;tag=\w{10,}$/);
  });
}

test('checklist 017: a To tag that the request has stays', async () => {
  const { sent } = await sending(request({ toTag: 'bob', cseqMethod: 'BYE' }));
  assert.equal(header(sent[0]!.text, 'To'), '<sip:bob@10.0.0.3>;tag=bob');
  assert.equal(sent[0]!.to, `${CALLER.address}:${CALLER.port}`);
});
