import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { idOf, request, streams } from './stream-harness.ts';

const WS: ListenOption = { protocol: 'ws', host: '127.0.0.1', port: 0 };
const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: proxy.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: sip',
  '\r\n',
].join('\r\n');
const TEXT = 0x1;
const CONTINUATION = 0x0;
const PING = 0x9;
const FINAL = 0x80;
const MEBIBYTE = 1_048_576;

/** A frame of a client with up to 125 bytes, masked with zeros (RFC 6455 5.2). */
function frame(first: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A message in as many frames as it is cut into pieces. */
function fragmented(message: Buffer, size: number): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const opcode = at === 0 ? TEXT : CONTINUATION;
    const last = at + size >= message.length ? FINAL : 0;
    frames.push(frame(opcode | last, message.subarray(at, at + size)));
  }
  return Buffer.concat(frames);
}

/** Resolves when a socket is closed, be it by a reset. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A socket on which a WebSocket has been opened, by which any bytes can be sent; ended with the test. */
async function rawWebSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(HANDSHAKE);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 101 /);
  return socket;
}

/** Takes a socket's address, as the system does once a reset has come, though what came before is still to be read. */
function forget(message: unknown): void {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return;
  if (message.socket instanceof Socket)
    Object.defineProperty(message.socket, 'remoteAddress', { value: undefined });
}

test('websocket: a peer that sends pings and reads no answer is cut off, before much waits for it', async (t) => {
  const { point } = await streams(t, { listen: [WS] });
  const socket = await rawWebSocket(t, point.port);
  socket.pause();
  const closed = closing(socket);
  const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(FINAL | PING, Buffer.alloc(125))));
  for (let sent = 0; !socket.closed && sent < 64 * MEBIBYTE; sent += pings.length) {
    if (socket.write(pings)) continue;
    await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  assert.ok(socket.closed);
});

test('websocket: a message in many small frames is taken, one in more than that ends the connection', async (t) => {
  const { arrived, arrival, point } = await streams(t, { listen: [WS] });
  const socket = await rawWebSocket(t, point.port);
  const closed = closing(socket);
  socket.write(fragmented(request('1'), 2));
  assert.equal(idOf((await arrival(0)).bytes), '1');
  socket.write(fragmented(request('2', { size: 1_000 }), 1));
  await closed;
  assert.equal(arrived.length, 1);
});

test('websocket: a frame that is none, of a peer that has gone, is no error of the process', async (t) => {
  const { transports, point } = await streams(t, { listen: [WS] });
  subscribe('net.server.socket', forget);
  t.after(() => unsubscribe('net.server.socket', forget));
  const socket = connect(point.port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  const closed = closing(socket);
  socket.write(Buffer.concat([Buffer.from(HANDSHAKE), Buffer.from([0xff, 0xff])]));
  await closed;
  assert.equal(transports.connectionsOf(point), 0);
});
