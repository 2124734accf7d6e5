import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptHash, StatelessTags } from '../../core/proxy/stateless-tag.ts';
import { parseMessage, SipRequest } from '../../core/sip/message.ts';
import { received, request, type RequestOptions, text } from '../modules/fake-core.ts';

const MARK = '0123456789abcdef';
const tags = new StatelessTags(MARK);
const others = new StatelessTags('fedcba9876543210');
const tagOf = (by: StatelessTags, parts?: RequestOptions) => by.of(attemptHash(request(parts)));
const tag = tagOf(tags);
const toOf = (toTag: string) => `<sip:bob@example.com>;tag=${toTag}`;

test('stateless tag: is the same for a retransmission and for the ACK, whatever else they hold', () => {
  assert.match(tag, /^0123456789abcdef-?\d+$/);
  assert.equal(tagOf(tags, { headers: ['X-Again: 1'] }), tag);
  assert.equal(tagOf(tags, { method: 'ACK', to: toOf(tag) }), tag);
});

test('stateless tag: is the same for an ACK, which has one Via, where several stood in one line', () => {
  const via = 'SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKa1';
  assert.equal(tagOf(tags, { via: `${via}, SIP/2.0/UDP 198.51.100.8;branch=z9hG4bKa0` }), tag);
});

test('stateless tag: is another for another branch, From tag or proxy', () => {
  const all = new Set([
    tag,
    tagOf(tags, { branch: 'z9hG4bKa2' }),
    tagOf(tags, { from: '<sip:alice@example.org>;tag=fa2' }),
    tagOf(others),
  ]);
  assert.equal(all.size, 4);
});

test('stateless tag: a malformed request has one as well', () => {
  const result = parseMessage(text(['INVITE sip:bob@example.com SIP/2.0', 'CSeq: x']), received);
  assert.ok(result.msg instanceof SipRequest);
  assert.match(tags.of(attemptHash(result.msg)), /^0123456789abcdef-?\d+$/);
});

test('stateless ACK: is known by its tag, and no other request is', () => {
  const isAck = (parts: RequestOptions, by = tags): boolean =>
    by.isAck(Buffer.from(request(parts).head, 'latin1'));
  assert.equal(isAck({ method: 'ACK', to: toOf(tag) }), true);
  assert.equal(isAck({ method: 'ACK', to: toOf(tag) }, others), false);
  assert.equal(isAck({ method: 'ACK', to: toOf('tb1') }), false);
  assert.equal(isAck({ method: 'ACK' }), false);
  assert.equal(isAck({ method: 'BYE', to: toOf(tag) }), false);
  assert.equal(isAck({ method: 'ACKNOWLEDGE', to: toOf(tag) }), false);
  const { head } = request({ method: 'ACK', to: toOf(tag) });
  assert.equal(tags.isAck(Buffer.from(`\r\n\r\n${head}`, 'latin1')), true, 'behind line ends');
  assert.equal(tags.isAck(Buffer.alloc(0)), false);
});
