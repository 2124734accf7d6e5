import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyError } from '../../core/errors.ts';
import { Header } from '../../core/sip/header-names.ts';
import { lines, parseText, request, text } from './sample.ts';

test('fields: a field of an unchecked message throws ERR_SIP_UNCHECKED when it is not there', () => {
  const msg = request(lines({ 'Call-ID': null, CSeq: 'x', From: '', To: null, Via: null }));
  for (const read of [() => msg.callId, () => msg.cseq, () => msg.from, () => msg.toTag, () => msg.topVia]) {
    assert.throws(read, (error) => error instanceof ProxyError && error.code === 'ERR_SIP_UNCHECKED');
  }
});

test('fields: vias come in order over lines and lists', () => {
  const msg = request(
    lines({ Via: 'SIP/2.0/UDP a, SIP/2.0/TCP b:1', v: 'SIP/2.0/TLS c;branch="x,y" ,SIP/2.0/UDP d' }),
  );
  const vias = msg.vias();
  assert.ok(vias.ok);
  assert.deepEqual(
    vias.value.map((via) => via.host),
    ['a', 'b', 'c', 'd'],
  );
  assert.equal(request(lines({ Via: 'SIP/2.0/UDP a,' })).vias().ok, false);
  assert.equal(request(lines({ Via: 'SIP/2.0/UDP a,,SIP/2.0/UDP b' })).vias().ok, false);
});

const CONTACTS: readonly (readonly [string, string[] | '*' | null])[] = [
  ['<sip:a>;q=0.5, "x, y" <sip:b>', ['sip:a', 'sip:b']],
  ['sip:a;expires=3,sip:b', ['sip:a', 'sip:b']],
  ['<sip:a>\r\nm: <sip:b>', ['sip:a', 'sip:b']],
  ['*', '*'],
  ['*, <sip:a>', null],
  ['*\r\nm: <sip:a>', null],
  ['<sip:a>\r\nm: *', null],
  ['sip:a?Route=b', null],
  // The list has no empty element (RFC 3261 25.1), in one line or in several.
  ['<sip:a>,', null],
  [',<sip:a>', null],
  ['<sip:a>,,<sip:b>', null],
  ['<sip:a> , ', null],
  ['<sip:a>\r\nm: ', null],
];
for (const [value, wanted] of CONTACTS) {
  test(`fields: contacts of ${JSON.stringify(value)}`, () => {
    const contacts = request(lines({ Contact: value })).contacts();
    if (wanted === null) return assert.equal(contacts.ok, false);
    assert.ok(contacts.ok);
    const found = contacts.value === '*' ? '*' : contacts.value.map((contact) => contact.uriText);
    return assert.deepEqual(found, wanted);
  });
}

test('fields: without Contact there are no contacts', () => {
  const contacts = request(lines()).contacts();
  assert.ok(contacts.ok);
  assert.deepEqual(contacts.value, []);
});

test('fields: the Request-URI is parsed anew when routes set it', () => {
  const msg = request(lines());
  const first = msg.parsedUri;
  assert.equal(msg.parsedUri, first);
  msg.uri = 'sip:other@example.net';
  assert.ok(msg.parsedUri.ok);
  assert.equal(msg.parsedUri.value.user, 'other');
  assert.equal(msg.originalUri, 'sip:bob@example.com');
});

test('fields: leftover bytes behind the head are no header', () => {
  const result = parseText(text(lines(), 'Via: x\r\n\r\n'));
  assert.ok(result.ok);
  assert.equal(result.msg.find(Header.via, 0), -1);
});
