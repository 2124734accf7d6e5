import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatelessAck, statelessTag } from '../../core/proxy/stateless-tag.ts';
import { parseMessage, SipRequest } from '../../core/sip/message.ts';
import { received, request, text } from '../modules/fake-core.ts';

const SECRET = 'secret';
const tag = statelessTag(request(), SECRET);
const toOf = (toTag: string) => `<sip:bob@example.com>;tag=${toTag}`;

test('stateless tag: is the same for a retransmission and for the ACK, whatever else they hold', () => {
  assert.match(tag, /^[0-9a-f]{20}$/);
  assert.equal(statelessTag(request({ headers: ['X-Again: 1'] }), SECRET), tag);
  assert.equal(statelessTag(request({ method: 'ACK', to: toOf(tag) }), SECRET), tag);
});

test('stateless tag: is another for another branch, From tag or secret', () => {
  const tags = new Set([
    tag,
    statelessTag(request({ branch: 'z9hG4bKa2' }), SECRET),
    statelessTag(request({ from: '<sip:alice@example.org>;tag=fa2' }), SECRET),
    statelessTag(request(), 'other'),
  ]);
  assert.equal(tags.size, 4);
});

test('stateless tag: a malformed request has one as well', () => {
  const result = parseMessage(text(['INVITE sip:bob@example.com SIP/2.0', 'CSeq: x']), received);
  assert.ok(result.msg instanceof SipRequest);
  assert.match(statelessTag(result.msg, SECRET), /^[0-9a-f]{20}$/);
});

test('stateless ACK: is known by its tag, and no other request is', () => {
  const ack = { method: 'ACK', to: toOf(tag) };
  assert.equal(isStatelessAck(request(ack), SECRET), true);
  for (const other of [
    { method: 'BYE', to: toOf(tag) },
    { ...ack, branch: 'z9hG4bKa2' },
    { method: 'ACK' },
    { method: 'ACK', to: toOf('tb1') },
    { method: 'ACK', to: toOf('0123456789abcdef0123') },
  ])
    assert.equal(isStatelessAck(request(other), SECRET), false);
  assert.equal(isStatelessAck(request(ack), 'other'), false);
});
