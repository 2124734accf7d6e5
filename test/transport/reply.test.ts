import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { parseMessage, SipRequest } from '../../core/sip/message.ts';
import { nextDatagram, peer, started, V4, V6 } from './harness.ts';

const REPLY = Buffer.from('SIP/2.0 200 OK\r\n\r\n');

/** A request with this top Via that a peer sent to the first listen point, and what it takes to reply. */
async function received(t: TestContext, via: string, ...listen: ListenOption[]) {
  const { transports, arrival, point } = await started(t, ...listen);
  const sender = await peer(t, point.address);
  const text = `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP ${via}\r\nContent-Length: 0\r\n\r\n`;
  sender.socket.send(text, point.port, point.address);
  const { bytes, received: from } = await arrival(0);
  const parsed = parseMessage(bytes, from);
  assert.ok(parsed.ok && parsed.msg instanceof SipRequest);
  return { transports, sender, request: parsed.msg, point };
}

for (const option of [V4, V6]) {
  test(`reply: goes to the source address and port where the Via has rport: ${option.host}`, async (t) => {
    const { transports, sender, request, point } = await received(
      t,
      'client.invalid:9;rport;branch=z9hG4bK1',
      option,
    );
    const answer = nextDatagram(sender.socket);
    transports.reply(request, REPLY, (error) => assert.fail(error));
    const { bytes, from } = await answer;
    assert.deepEqual(bytes, REPLY);
    assert.equal(from.port, point.port);
  });
}

test('reply: goes to the source address at the port of sent-by without rport', async (t) => {
  const other = await peer(t);
  const { transports, request } = await received(t, `client.invalid:${other.port};branch=z9hG4bK1`, V4);
  const answer = nextDatagram(other.socket);
  transports.reply(request, REPLY, (error) => assert.fail(error));
  assert.deepEqual((await answer).bytes, REPLY);
});

test('reply: leaves by the socket its request came in by', async (t) => {
  const { transports, sender, request } = await received(t, 'client.invalid;rport;branch=z9hG4bK1', V4, V4);
  const [first, second] = transports.points;
  assert.equal(request.received.point, first);
  assert.ok(second);
  const toSecond = { ...request.received, point: second };
  const moved = parseMessage(Buffer.from(request.head, 'latin1'), toSecond);
  assert.ok(moved.ok && moved.msg instanceof SipRequest);
  const answer = nextDatagram(sender.socket);
  transports.reply(moved.msg, REPLY);
  assert.equal((await answer).from.port, second.port);
});

test('reply: goes to maddr, by a socket of its family', async (t) => {
  const other = await peer(t, '::1');
  const via = `client.invalid:${other.port};maddr=[::1];branch=z9hG4bK1`;
  const { transports, request } = await received(t, via, V4, V6);
  const answer = nextDatagram(other.socket);
  transports.reply(request, REPLY, (error) => assert.fail(error));
  assert.equal((await answer).from.port, transports.points[1]?.port);
});

test('reply: a multicast maddr is not sent to', async (t) => {
  const { transports, request } = await received(t, 'client.invalid;maddr=224.0.1.75;branch=z9hG4bK1', V4);
  const error = await new Promise<Error>((resolve) => transports.reply(request, REPLY, resolve));
  assert.match(error.message, /not a unicast address/);
});
