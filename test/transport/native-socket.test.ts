/** The sockets of core/transport/native, built here: what arrives at them, and what fails. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:os';
import { before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { missing } from '../programs/missing.ts';
import { buildNativeUdp } from '../programs/native-udp.ts';
import { MESSAGE, nextDatagram, peer, posted } from './harness.ts';
import { LOOPBACK, opened, sendTo } from './native-rig.ts';

const skip = missing('cc') ?? false;

before(() => {
  if (skip === false) buildNativeUdp();
});

for (const address of [LOOPBACK, '::1']) {
  test(`native socket: takes and sends datagrams, and tells who sent them: ${address}`, {
    skip,
  }, async (t) => {
    const { socket, arrival } = await opened(t, { address });
    const other = await peer(t, address);
    await posted(other.socket, MESSAGE, socket.address());
    const [first] = await arrival(1);
    assert.deepEqual(first?.bytes, MESSAGE);
    assert.deepEqual(first?.from, { address, port: other.port });
    const answer = nextDatagram(other.socket);
    assert.equal(await sendTo(socket, MESSAGE, other.port, address), null);
    const { bytes, from } = await answer;
    assert.deepEqual(bytes, MESSAGE);
    assert.equal(from.port, socket.address().port);
  });
}

test('native socket: a burst comes whole and in order, datagrams of every size among it', {
  skip,
}, async (t) => {
  const { socket, arrival } = await opened(t);
  const other = await peer(t);
  const sizes = [0, 1, 500, 1_400, 16_383, 16_384, 16_385, 65_507];
  const burst = Array.from({ length: 200 }, (_, i) => Buffer.alloc(sizes[i % sizes.length]! % 65_508, i + 1));
  other.socket.setSendBufferSize(4 * 1_024 * 1_024);
  // The socket's buffer has room for some of the large ones at a time only.
  for (let i = 0; i < burst.length; i += 8) {
    await Promise.all(burst.slice(i, i + 8).map((bytes) => posted(other.socket, bytes, socket.address())));
    await arrival(Math.min(i + 8, burst.length));
  }
  const arrived = await arrival(burst.length);
  for (const [i, { bytes, from }] of arrived.entries()) {
    assert.ok(bytes.equals(burst[i]!), `datagram ${i} of ${burst[i]!.length} bytes`);
    assert.equal(from.port, other.port);
  }
});

test('native socket: of many senders each is told right, also of those that share a place', {
  skip,
}, async (t) => {
  const { socket, arrival } = await opened(t);
  // Twice as many as it knows at a time: in any burst some take a place from others.
  const sockets = await Promise.all(
    Array.from({ length: 2_048 }, async () => {
      const sender = createSocket('udp4');
      t.after(() => sender.close());
      sender.bind(0, LOOPBACK);
      await once(sender, 'listening');
      return sender;
    }),
  );
  for (let i = 0; i < sockets.length; i += 256) {
    const some = sockets.slice(i, i + 256);
    await Promise.all(
      some.map((sender) => posted(sender, Buffer.from(String(sender.address().port)), socket.address())),
    );
    await arrival(i + some.length);
  }
  for (const { bytes, from } of await arrival(sockets.length)) {
    assert.deepEqual(from, { address: LOOPBACK, port: Number(bytes) });
  }
});

test('native socket: what cannot be sent is told, and what nobody asked about is an error of the socket', {
  skip,
}, async (t) => {
  const { socket, errors } = await opened(t);
  const long = Buffer.alloc(65_508);
  const error = await sendTo(socket, long, 5_060);
  assert.match(error?.message ?? '', /^send EMSGSIZE 127\.0\.0\.1:5060$/);
  assert.match((await sendTo(socket, MESSAGE, 5_060, 'localhost'))?.message ?? '', /EINVAL/);
  assert.match((await sendTo(socket, MESSAGE, 5_060, '::1'))?.message ?? '', /EINVAL/);
  assert.throws(() => socket.send(MESSAGE, 0, LOOPBACK), /Port should be/);
  assert.throws(() => socket.send(MESSAGE, 65_536, LOOPBACK), /Port should be/);
  assert.equal(errors.length, 0);
  socket.send(long, 5_060, LOOPBACK);
  await setImmediate();
  assert.match(errors[0]?.message ?? '', /EMSGSIZE/);
});

test("native socket: an address that is taken is the system's error; after a close it is free", {
  skip,
}, async (t) => {
  const { socket } = await opened(t);
  const { port } = socket.address();
  await assert.rejects(opened(t, { port }), { code: 'EADDRINUSE', errno: -constants.errno.EADDRINUSE });
  await assert.rejects(opened(t, { address: '192.0.2.77' }), { code: 'EADDRNOTAVAIL' });
  await assert.rejects(opened(t, { address: 'nowhere' }), { code: 'EINVAL' });
  await new Promise<void>((closed) => socket.close(closed));
  socket.close();
  assert.throws(() => socket.send(MESSAGE, 5_060, LOOPBACK), /closed/);
  const again = await opened(t, { port });
  assert.equal(again.socket.address().port, port);
});
