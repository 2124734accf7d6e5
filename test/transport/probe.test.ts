import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import type { Transports } from '../../core/transport/transports.ts';
import { MESSAGE, peer, started, V4, V6 } from './harness.ts';

const TCP: ListenOption = { protocol: 'tcp', host: '127.0.0.1', port: 0 };
const WILDCARD: ListenOption = { protocol: 'udp', host: '0.0.0.0', port: 0 };

function probed(transports: Transports): Promise<void> {
  return new Promise((resolve) => transports.probe(resolve));
}

for (const [name, listen] of [
  ['IPv4', [V4]],
  ['IPv6', [V6]],
  ['a wildcard address', [WILDCARD]],
  ['several sockets', [V4, V6, TCP]],
  ['streams alone', [TCP]],
] as const) {
  test(`probe: comes back, and is no message: ${name}`, async (t) => {
    const { transports, arrived } = await started(t, ...listen);
    await probed(transports);
    await probed(transports);
    assert.deepEqual(arrived, []);
    for (const { received } of transports.statistics()) assert.equal(received, 0);
  });
}

test('probe: is read behind what arrived before', async (t) => {
  const { transports, arrived, point } = await started(t, V4);
  const { socket } = await peer(t);
  await new Promise((sent) => socket.send(MESSAGE, point.port, '127.0.0.1', sent));
  await probed(transports);
  assert.equal(arrived.length, 1);
});

test('probe: what only looks like one is taken for a message', async (t) => {
  const { arrival, point } = await started(t, V4);
  const { socket } = await peer(t);
  const forged = Buffer.alloc(17, 0xff);
  socket.send(forged, point.port, '127.0.0.1');
  assert.deepEqual((await arrival(0)).bytes, forged);
});

test('probe: of two under way the later one counts; after the end none does', async (t) => {
  const { transports } = await started(t, V4);
  let earlier = false;
  transports.probe(() => {
    earlier = true;
  });
  await probed(transports);
  assert.equal(earlier, false);
  await transports.close();
  transports.probe(() => assert.fail('came back'));
});
