import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMessage } from '../../core/sip/message.ts';
import { lines, request, response } from './sample.ts';

type Changes = Readonly<Record<string, string | null>>;

const ACCEPTED: readonly (readonly [string, Changes])[] = [
  ['a plain INVITE', {}],
  ['an unknown method', { start: 'FOO sip:a@b SIP/2.0', CSeq: '1 FOO' }],
  ['sips', { start: 'INVITE sips:a@b SIP/2.0' }],
  ['tel', { start: 'INVITE tel:+1-201-555-0123;phone-context=x SIP/2.0' }],
  ['headers in the Request-URI', { start: 'INVITE sip:a@b?subject=x&Route=%3Csip:c%3E SIP/2.0' }],
  ['From without a tag (RFC 2543)', { From: 'sip:a@b' }],
  ['To of another scheme', { To: 'isbn:2983792873' }],
  [
    'malformed headers that a proxy does not use',
    { Date: 'soon', Contact: '<<', Expires: '-', Subject: ';;,,' },
  ],
  ['a malformed Via below the top one', { v: 'garbage' }],
  ['no Max-Forwards', { 'Max-Forwards': null }],
  ['a large Max-Forwards', { 'Max-Forwards': '300' }],
  ['CSeq over lines with leading zeros', { CSeq: '0009\r\n  INVITE' }],
  ['the largest CSeq', { CSeq: '2147483647 INVITE' }],
];
for (const [what, changes] of ACCEPTED) {
  test(`check: accepts ${what}`, () => assert.equal(checkMessage(request(lines(changes))), null));
}

const REJECTED: readonly (readonly [string, Changes, 400 | 416 | null])[] = [
  ['no Via', { Via: null }, null],
  ['a malformed Via', { Via: 'SIP/2.0/UDP' }, null],
  ['a Via with a bad port', { Via: 'SIP/2.0/UDP a:99999;branch=z9hG4bK1' }, null],
  ['no From', { From: null }, 400],
  ['no To', { To: null }, 400],
  ['no Call-ID', { 'Call-ID': null }, 400],
  ['an empty Call-ID', { 'Call-ID': '' }, 400],
  ['a Call-ID with a space', { 'Call-ID': 'a b' }, 400],
  ['no CSeq', { CSeq: null }, 400],
  ['CSeq without a method', { CSeq: '1' }, 400],
  ['CSeq without a number', { CSeq: 'INVITE' }, 400],
  ['CSeq with a sign', { CSeq: '-1 INVITE' }, 400],
  ['CSeq with more behind', { CSeq: '1 INVITE x' }, 400],
  ['a CSeq number of 2**31', { CSeq: '2147483648 INVITE' }, 400],
  ['another method in CSeq', { CSeq: '1 OPTIONS' }, 400],
  ['the method in another case in CSeq', { CSeq: '1 invite' }, 400],
  ['an open quote in To', { To: '"Mr. <sip:a@b>' }, 400],
  ['an open quote in From', { From: '"Mr. <sip:a@b>;tag=1' }, 400],
  ['an open bracket in To', { To: '<sip:a@b' }, 400],
  ['a comma in an unquoted display name', { From: 'Bell, A <sip:a@b>;tag=1' }, 400],
  ['spaces inside a URI', { To: '"W" < sip:a@b >' }, 400],
  ['two tags', { From: '<sip:a@b>;tag=1;tag=2' }, 400],
  ['two From', { f: 'sip:a@b' }, 400],
  ['two To', { t: 'sip:a@b' }, 400],
  ['two Call-ID', { i: 'x' }, 400],
  ['two CSeq', { CSEQ: '1 INVITE' }, 400],
  ['two Max-Forwards', { 'MAX-FORWARDS': '70' }, 400],
  ['Max-Forwards that is no number', { 'Max-Forwards': 'seventy' }, 400],
  ['a negative Max-Forwards', { 'Max-Forwards': '-1' }, 400],
  ['a Request-URI in brackets', { start: 'INVITE <sip:a@b> SIP/2.0' }, 400],
  ['a Request-URI without a scheme', { start: 'INVITE alice SIP/2.0' }, 400],
  ['a Request-URI with a bad escape', { start: 'INVITE sip:a%zz@b SIP/2.0' }, 400],
  ['a Request-URI with a NUL', { start: 'INVITE sip:a\0@b SIP/2.0' }, 400],
  ['a Request-URI with a bad port', { start: 'INVITE sip:a@b:x SIP/2.0' }, 400],
  ['a Request-URI with IPv6 outside brackets', { start: 'INVITE sip:2001:db8::10 SIP/2.0' }, 400],
  ['an unknown scheme', { start: 'INVITE nobodyKnows:this SIP/2.0' }, 416],
  ['a hierarchical scheme', { start: 'INVITE soap.beep://192.0.2.103:3002 SIP/2.0' }, 416],
];
for (const [what, changes, status] of REJECTED) {
  test(`check: rejects ${what}`, () => {
    const result = checkMessage(request(lines(changes)));
    assert.ok(result !== null);
    assert.equal(result.status, status);
    assert.notEqual(result.reason, '');
  });
}

test('check: a malformed response is dropped, never answered', () => {
  const start = 'SIP/2.0 200 OK';
  assert.equal(checkMessage(response(lines({ start }))), null);
  for (const changes of [{ CSeq: '9292394834772304023312 INVITE' }, { To: null }, { Via: null }]) {
    const result = checkMessage(response(lines({ start, ...changes })));
    assert.ok(result !== null);
    assert.equal(result.status, null);
  }
});

test('check: a malformed ACK is dropped, never answered', () => {
  const result = checkMessage(request(lines({ start: 'ACK sip:a@b SIP/2.0' })));
  assert.equal(result?.status, null);
  assert.equal(result.reason, 'CSeq method is not the method of the request');
});
