import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Target } from '../../core/sip/hop.ts';
import { TAKEN_MS } from '../../core/transport/takers.ts';
import { failure, MESSAGE, nextDatagram, peer, socketsOf, started, V4, V6 } from './harness.ts';

test('send: an error the system reports on a socket is counted and logged, and the socket goes on', async (t) => {
  const { result, sockets } = await socketsOf(() => started(t, V4));
  sockets[0]?.emit('error', new Error('recvmsg ECONNREFUSED'));
  const { socket } = await peer(t);
  socket.send(MESSAGE, result.point.port, '127.0.0.1');
  await result.arrival(0);
  assert.equal(result.transports.statistics()[0]?.errors, 1);
  assert.equal(result.log.lines.filter(({ level }) => level === 'warn').length, 1);
});

test('send: sending where nobody listens harms nothing', async (t) => {
  const { transports, arrival, point } = await started(t, V4);
  const { socket, target } = await peer(t);
  transports.send(MESSAGE, { ...target, port: 9 });
  socket.send(MESSAGE, point.port, '127.0.0.1');
  await arrival(0);
  const answer = nextDatagram(socket);
  transports.send(MESSAGE, target);
  assert.deepEqual((await answer).bytes, MESSAGE);
});

const LOOPBACK: Target = { protocol: 'udp', address: '127.0.0.1', port: 5_060 };
const UNSENT: readonly [what: string, bytes: Buffer, target: Target, reason: RegExp][] = [
  ['a datagram that is too long', Buffer.alloc(65_508), LOOPBACK, /EMSGSIZE/],
  ['port 0', MESSAGE, { ...LOOPBACK, port: 0 }, /[Pp]ort/],
  [
    'an IPv4 multicast address',
    MESSAGE,
    { ...LOOPBACK, address: '224.0.1.75' },
    /224\.0\.1\.75 is not a unicast/,
  ],
  ['the broadcast address', MESSAGE, { ...LOOPBACK, address: '255.255.255.255' }, /not a unicast address/],
  ['an IPv6 multicast address', MESSAGE, { ...LOOPBACK, address: 'ff02::1' }, /not a unicast address/],
  ['mapped multicast', MESSAGE, { ...LOOPBACK, address: '::ffff:224.0.0.1' }, /not a unicast address/],
  [
    'a family without a socket',
    MESSAGE,
    { ...LOOPBACK, address: '2001:db8::1' },
    /no socket for udp over IPv6/,
  ],
  ['a protocol without a socket', MESSAGE, { ...LOOPBACK, protocol: 'tls' }, /no socket for tls over IPv4/],
  ['a host name', MESSAGE, { ...LOOPBACK, address: 'localhost' }, /not a unicast address|EINVAL/],
];
for (const [what, bytes, target, reason] of UNSENT) {
  test(`send: ${what} cannot be sent to, and the sender is told afterwards`, async (t) => {
    const { transports } = await started(t, V4);
    assert.match((await failure(transports, bytes, target)).message, reason);
  });
}

test('send: failures are counted, also where no one asked to be told', async (t) => {
  const { transports } = await started(t, V4);
  transports.send(Buffer.alloc(65_508), LOOPBACK);
  await failure(transports, Buffer.alloc(65_508), LOOPBACK);
  assert.equal(transports.statistics()[0]?.errors, 2);
});

test('send: what was sent is counted, and its sender told nothing', async (t) => {
  const { transports } = await started(t, V4);
  const { socket, target } = await peer(t);
  const arrived = new Promise<void>((resolve) => {
    let left = 20;
    socket.on('message', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  const told: Error[] = [];
  for (let i = 0; i < 10; i += 1) transports.send(MESSAGE, target, (error) => told.push(error));
  for (let i = 0; i < 10; i += 1) transports.send(MESSAGE, target);
  await arrived;
  assert.deepEqual(told, []);
  assert.equal(transports.statistics()[0]?.sent, 20);
});

test('send: a full send queue refuses what would cross 8 MiB, and takes what fits', async (t) => {
  const { result, sockets } = await socketsOf(() => started(t, V4));
  const { socket, target } = await peer(t);
  const [ours] = sockets;
  assert.ok(ours);
  const queue = mock.method(ours, 'getSendQueueSize', () => 8 * 1_024 * 1_024 - MESSAGE.length + 1);
  assert.match((await failure(result.transports, MESSAGE, target)).message, /send queue is full/);
  queue.mock.mockImplementation(() => 8 * 1_024 * 1_024 - MESSAGE.length);
  const answer = nextDatagram(socket);
  result.transports.send(MESSAGE, target, (error) => assert.fail(error));
  assert.deepEqual((await answer).bytes, MESSAGE);
});

test('send: after close every send fails, and closing again does nothing', async (t) => {
  const { transports } = await started(t, V4);
  await transports.close();
  await transports.close();
  assert.match((await failure(transports, MESSAGE, LOOPBACK)).message, /socket is closed/);
});

test('send: an IPv4-mapped target goes out over IPv4', async (t) => {
  const { transports } = await started(t, V6, V4);
  const { socket, target } = await peer(t);
  const answer = nextDatagram(socket);
  transports.send(MESSAGE, { ...target, address: '::ffff:127.0.0.1' }, (error) => assert.fail(error));
  assert.equal((await answer).from.port, transports.points[1]?.port);
});

test('send: the point of a target fixes the socket', async (t) => {
  const { transports } = await started(t, V4, V4);
  const { socket, target } = await peer(t);
  const [, second] = transports.points;
  const answer = nextDatagram(socket);
  transports.send(MESSAGE, { ...target, point: second });
  assert.equal((await answer).from.port, second?.port);
});

test('send: where a datagram has been taken a moment ago it is not asked how the next goes, then it is', async (t) => {
  const { result, sockets } = await socketsOf(() => started(t, V4));
  const { transports, clock } = result;
  const { socket, target } = await peer(t);
  const [ours] = sockets;
  assert.ok(ours);
  const taken = nextDatagram(socket);
  transports.send(MESSAGE, target, (error) => assert.fail(error));
  await taken;
  const sent = mock.method(ours, 'send');
  const told: string[] = [];
  const asked = (bytes = MESSAGE, to = target): boolean => {
    transports.send(bytes, to, (error) => told.push(error.message));
    return typeof sent.mock.calls.at(-1)?.arguments.at(-1) === 'function';
  };
  assert.equal(asked(), false);
  assert.equal(asked(MESSAGE, { ...target, address: '127.0.0.2' }), true, 'another address');
  assert.equal(asked(Buffer.alloc(1_401)), true, 'a large one');
  assert.equal(asked(Buffer.alloc(65_508)), true);
  await setImmediate();
  assert.deepEqual(told.length, 1);
  clock.advance(TAKEN_MS);
  assert.equal(asked(), true, 'after a while');
  assert.equal(transports.statistics()[0]?.errors, 1);
});
