import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { freePort } from '../programs/free-port.ts';
import { request, server } from '../transport/stream-harness.ts';
import { listeningForwarder } from './listening-forwarder.ts';

/** The largest that goes by UDP (RFC 3261 18.1.1). */
const LIMIT_BYTES = 1_300;

/** Sends datagrams to a proxy that forwards to a port of 127.0.0.1. */
async function sendingForwarder(t: TestContext, protocols: readonly ('udp' | 'tcp')[], port: number) {
  const [point] = await listeningForwarder(t, protocols, port);
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  return (bytes: Buffer): void => socket.send(bytes, point?.port ?? 0, '127.0.0.1');
}

/** A UDP callee on a port. */
async function datagrams(t: TestContext, port: number) {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  return async (): Promise<string> => {
    const [bytes] = await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
    return String(bytes);
  };
}

/** A request that leaves the proxy with at least that many bytes. */
function large(id: string): Buffer {
  return request(id, { size: LIMIT_BYTES, via: 'SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1' });
}

test('large requests: what is larger than 1,300 bytes goes by TCP, and its Via says so', async (t) => {
  const callee = await server(t);
  const { port } = callee.target;
  const next = await datagrams(t, port);
  const send = await sendingForwarder(t, ['udp', 'tcp'], port);
  send(large('large'));
  const inbox = await callee.connection(0);
  await inbox.has(/Call-ID: large\r\n[^]*b{1300}$/);
  assert.match(inbox.text, /^MESSAGE .*\r\nVia: SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch/);
  const datagram = next();
  send(request('small', { via: 'SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK2' }));
  assert.match(await datagram, /^MESSAGE .*\r\nVia: SIP\/2\.0\/UDP [^]*Call-ID: small/);
});

test('large requests: a next hop that takes no connection gets it by UDP', async (t) => {
  const port = await freePort();
  const next = await datagrams(t, port);
  const send = await sendingForwarder(t, ['udp', 'tcp'], port);
  const datagram = next();
  send(large('large'));
  assert.match(await datagram, /^MESSAGE .*\r\nVia: SIP\/2\.0\/UDP [^]*Call-ID: large/);
});

test('large requests: a proxy that has no TCP sends it by UDP', async (t) => {
  const callee = await server(t);
  const { port } = callee.target;
  const next = await datagrams(t, port);
  const send = await sendingForwarder(t, ['udp'], port);
  const datagram = next();
  send(large('large'));
  assert.match(await datagram, /^MESSAGE .*\r\nVia: SIP\/2\.0\/UDP /);
  assert.deepEqual(callee.inboxes, []);
});
