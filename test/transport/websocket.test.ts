import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { checkMessage, MAX_MESSAGE_BYTES, parseMessage } from '../../core/sip/message.ts';
import { markReceived } from '../../core/sip/print.ts';
import { buildReply } from '../../core/sip/reply.ts';
import { DEFAULT_CONNECTION_LIMITS as LIMITS } from '../../core/transport/connection-limits.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';
import { failure } from './harness.ts';
import { client, idOf, request, streams } from './stream-harness.ts';
import { credentials } from './tls-harness.ts';

const WS: ListenOption = { protocol: 'ws', host: '127.0.0.1', port: 0 };
const VIA = 'SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1';

/** A WebSocket to a port of 127.0.0.1, ended with the test. @throws when the handshake fails. */
async function dial(
  t: TestContext,
  port: number,
  {
    protocols = ['sip'],
    secure = false,
    ...options
  }: ClientOptions & { protocols?: string[]; secure?: boolean } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`${secure ? 'wss' : 'ws'}://127.0.0.1:${port}`, protocols, options);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

/** The next message, and whether it was binary. */
async function received(socket: WebSocket): Promise<[bytes: Buffer, binary: boolean]> {
  const [bytes, binary]: unknown[] = await once(socket, 'message');
  assert.ok(Buffer.isBuffer(bytes) && typeof binary === 'boolean');
  return [bytes, binary];
}

test('websocket: a handshake with the subprotocol sip is taken, and the subprotocol echoed (RFC 7118 4.1)', async (t) => {
  const { point } = await streams(t, { listen: [WS] });
  assert.equal((await dial(t, point.port, { protocols: ['other', 'sip'] })).protocol, 'sip');
});

for (const protocols of [[], ['other']]) {
  test(`websocket: a handshake with the subprotocols [${protocols.join()}] is refused with 400`, async (t) => {
    const { transports, point } = await streams(t, { listen: [WS] });
    await assert.rejects(dial(t, point.port, { protocols }), /Unexpected server response: 400/);
    assert.equal(transports.statistics()[0]?.errors, 1);
  });
}

test('websocket: an HTTP request that asks for no WebSocket gets 426', async (t) => {
  const { point } = await streams(t, { listen: [WS] });
  const [response] = await once(get({ host: '127.0.0.1', port: point.port }), 'response');
  response.resume();
  assert.equal(response.statusCode, 426);
});

for (const binary of [false, true]) {
  test(`websocket: a request in a ${binary ? 'binary' : 'text'} message is taken, without Content-Length too (RFC 7118 5)`, async (t) => {
    const { arrival, point } = await streams(t, { listen: [WS] });
    const socket = await dial(t, point.port);
    const text = request('1', { via: VIA, size: 5 }).toString('latin1').replace('Content-Length: 5\r\n', '');
    socket.send(text, { binary });
    const { bytes, received: from } = await arrival(0);
    assert.equal(bytes.toString('latin1'), text);
    assert.deepEqual([from.point, from.address, from.flow], [point, '127.0.0.1', 1]);
    const parsed = parseMessage(bytes, from);
    assert.ok(parsed.ok);
    assert.equal(parsed.msg.body.toString('latin1'), 'bbbbb');
  });
}

test('websocket: a reply goes by the connection of its request, with received in its Via, as text', async (t) => {
  const { transports, arrival, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  socket.send(request('1', { via: VIA }));
  const arrived = await arrival(0);
  const parsed = parseMessage(arrived.bytes, arrived.received);
  assert.ok(parsed.ok && parsed.msg.kind === 'request' && checkMessage(parsed.msg) === null);
  markReceived(parsed.msg);
  const answer = received(socket);
  transports.reply(parsed.msg, buildReply(parsed.msg, 200, 'OK', { toTag: 't' }));
  const [bytes, binary] = await answer;
  assert.match(bytes.toString(), new RegExp(`^SIP/2\\.0 200 OK\r\nVia: ${VIA};received=127\\.0\\.0\\.1\r\n`));
  assert.equal(binary, false);
});

test('websocket: a message that is no UTF-8 goes as binary, byte for byte', async (t) => {
  const { transports, arrival, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  socket.send(request('1', { via: VIA }));
  const { received: from } = await arrival(0);
  const bytes = Buffer.concat([request('2', { size: 2 }), Buffer.from([0xff, 0x00])]);
  const answer = received(socket);
  transports.send(bytes, { protocol: 'ws', address: from.address, port: from.port });
  assert.deepEqual(await answer, [bytes, true]);
});

test('websocket: what is sent where no WebSocket is open is told to the sender', async (t) => {
  const { transports, arrival, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  socket.send(request('1', { via: VIA }));
  const { received: from } = await arrival(0);
  socket.terminate();
  await once(socket, 'close');
  const target = { protocol: 'ws', address: '127.0.0.1', port: 9 } as const;
  assert.match((await failure(transports, request('2'), target)).message, /no WebSocket from 127\.0\.0\.1:9/);
  assert.ok(from.flow > 0);
});

test('websocket: a message that is too large ends the connection with 1009', async (t) => {
  const { arrived, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  socket.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 'x'));
  const [code] = await once(socket, 'close');
  assert.equal(code, 1_009);
  assert.deepEqual(arrived, []);
});

test('websocket: pings are answered, and a double CRLF gets a CRLF', async (t) => {
  const { transports, arrived, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  const pong = once(socket, 'pong');
  socket.ping('x');
  assert.equal(String((await pong)[0]), 'x');
  const answer = received(socket);
  socket.send('\r\n\r\n');
  assert.deepEqual(await answer, [Buffer.from('\r\n'), false]);
  assert.deepEqual(arrived, []);
  assert.equal(transports.statistics()[0]?.keepAlives, 2);
});

test('websocket: a peer that answers pings is kept, however idle, and one that does not is closed', async (t) => {
  const { transports, arrival, clock, point } = await streams(t, { listen: [WS] });
  const answering = await dial(t, point.port);
  const silent = await dial(t, point.port, { autoPong: false });
  for (const [i, socket] of [answering, silent].entries()) {
    socket.send(request(String(i), { via: VIA }));
    await arrival(i);
  }
  const asked = Promise.all([once(answering, 'ping'), once(silent, 'ping')]);
  clock.advance(LIMITS.idleMs / 2);
  await asked;
  // The answer has been taken when what is sent behind it has.
  answering.ping();
  await once(answering, 'pong');
  assert.equal(transports.statistics()[0]?.keepAlives, 2);
  clock.advance(LIMITS.idleMs / 2);
  await once(silent, 'close');
  assert.equal(answering.readyState, WebSocket.OPEN);
});

test('websocket: a socket on which no WebSocket is asked for is closed in time', async (t) => {
  const { clock, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  const inbox = await client(t, point.port);
  inbox.socket.write('GET / HTTP/1.1\r\n');
  // Both have been taken when a third has been served.
  await dial(t, point.port);
  clock.advance(LIMITS.connectTimeoutMs);
  await inbox.end();
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test('websocket: above the limit of connections a new one is closed', async (t) => {
  const { point } = await streams(t, { listen: [WS], limits: { maxConnections: 1 } });
  await dial(t, point.port);
  await assert.rejects(dial(t, point.port), /hang up|ECONNRESET/);
});

test('websocket: closing the transports closes the connections', async (t) => {
  const { transports, point } = await streams(t, { listen: [WS] });
  const socket = await dial(t, point.port);
  const closed = once(socket, 'close');
  await transports.close();
  await closed;
});

test('websocket: a secure one carries requests, and obeys the rules for certificates', {
  skip: missing('openssl') ?? false,
}, async (t) => {
  const ca = new Authority();
  const own = credentials(ca, ca.issue('DNS:a.test'), { verifyCertificate: true });
  const { arrival, point } = await streams(t, { listen: [{ ...WS, protocol: 'wss' }], credentials: own });
  const socket = await dial(t, point.port, { secure: true, rejectUnauthorized: false });
  socket.send(request('1', { via: VIA.replace('WS', 'WSS') }));
  assert.equal(idOf((await arrival(0)).bytes), '1');
  const stranger = new Authority().issue('DNS:client.test');
  const options = {
    secure: true,
    rejectUnauthorized: false,
    cert: stranger.certificate,
    key: stranger.privateKey,
  };
  await assert.rejects(dial(t, point.port, options), /Unexpected server response: 403/);
});
