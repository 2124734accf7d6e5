import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Received } from '../../core/sip/hop.ts';
import { checkMessage, parseMessage } from '../../core/sip/message.ts';
import { headerOf, inDialogOf, inviteOf, responseTo, SDP } from '../../core/main/plain-call.ts';

const RECEIVED: Received = {
  point: {
    protocol: 'udp',
    family: 4,
    address: '127.0.0.1',
    port: 5060,
    advertisedHost: '127.0.0.1',
    advertisedPort: 5060,
    sentBy: '127.0.0.1:5060',
  },
  address: '127.0.0.1',
  port: 5080,
  flow: 0,
};
const INVITE = inviteOf('7', { caller: 5080, target: 5060 });
const ROUTED = INVITE.replace(
  '\r\nFrom',
  '\r\nRecord-Route: <sip:first;lr>\r\nRecord-Route: <sip:second;lr>\r\nFrom',
);
const OK = responseTo(ROUTED, '200 OK', { callee: 5070, body: SDP });

for (const [name, text] of Object.entries({
  INVITE,
  'a response': OK,
  'a response without a body': responseTo(INVITE, '180 Ringing', { callee: 5070 }),
  ACK: inDialogOf('ACK', '7', { ok: OK, caller: 5080 }),
  BYE: inDialogOf('BYE', '7', { ok: OK, caller: 5080 }),
})) {
  test(`plain call: ${name} is proper SIP`, () => {
    const parsed = parseMessage(Buffer.from(text, 'latin1'), RECEIVED);
    assert.ok(parsed.ok);
    assert.equal(checkMessage(parsed.msg), null);
  });
}

test('plain call: a request in a dialog goes by the route set, backwards, to the contact', () => {
  const bye = inDialogOf('BYE', '7', { ok: OK, caller: 5080 });
  assert.match(bye, /^BYE sip:127\.0\.0\.1:5070;transport=UDP SIP\/2\.0\r\n/);
  assert.match(bye, /\r\nRoute: <sip:second;lr>\r\nRoute: <sip:first;lr>\r\n/);
  assert.equal(headerOf(bye, 'To'), headerOf(OK, 'To'));
  assert.equal(headerOf(bye, 'CSeq'), '2 BYE');
});

test('plain call: a response to a request in a dialog keeps its To tag', () => {
  const bye = inDialogOf('BYE', '7', { ok: OK, caller: 5080 });
  assert.equal(headerOf(responseTo(bye, '200 OK', { callee: 5070 }), 'To'), headerOf(OK, 'To'));
});
