import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { Target } from '../../core/sip/hop.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { Transports } from '../../core/transport/transports.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { freePort } from '../programs/free-port.ts';
import { MESSAGE, nextDatagram, peer, started, V4, V6 } from './harness.ts';
import { recordedLog } from './recorded-log.ts';

const LOOPBACK: Target = { protocol: 'udp', address: '127.0.0.1', port: 5_060 };

for (const option of [V4, V6]) {
  test(`transports: takes a message in over ${option.host} and sends one back, byte for byte`, async (t) => {
    const { transports, arrival, point } = await started(t, option);
    const { socket, port, target } = await peer(t, option.host);
    socket.send(MESSAGE, point.port, option.host);
    const { bytes, received } = await arrival(0);
    assert.deepEqual(bytes, MESSAGE);
    assert.deepEqual(received, { point, address: option.host, port, flow: 0 });
    const answer = nextDatagram(socket);
    transports.send(MESSAGE, target);
    const { bytes: sent, from } = await answer;
    assert.deepEqual(sent, MESSAGE);
    assert.equal(from.port, point.port);
  });
}

test('transports: a listen point tells its address and the port that the system picked', async (t) => {
  const { transports } = await started(t, V4, V6);
  assert.deepEqual(
    transports.points.map(({ port, ...rest }) => [port > 0, rest]),
    transports.points.map(({ port }) => [
      true,
      port === transports.points[0]?.port
        ? {
            protocol: 'udp',
            family: 4,
            address: '127.0.0.1',
            advertisedHost: '127.0.0.1',
            advertisedPort: port,
            sentBy: `127.0.0.1:${port}`,
          }
        : {
            protocol: 'udp',
            family: 6,
            address: '::1',
            advertisedHost: '[::1]',
            advertisedPort: port,
            sentBy: `[::1]:${port}`,
          },
    ]),
  );
});

for (const [host, expected] of [
  ['proxy.example.com', 'proxy.example.com:5070'],
  ['203.0.113.5', '203.0.113.5:5070'],
  ['2001:db8::5', '[2001:db8::5]:5070'],
] as const) {
  test(`transports: advertises ${expected} in place of the bound address`, async (t) => {
    const { point } = await started(t, { ...V4, advertise: { host, port: 5_070 } });
    assert.equal(point.sentBy, expected);
    assert.equal(point.address, '127.0.0.1');
    assert.notEqual(point.port, 5_070);
  });
}

test('transports: a wildcard address stays as bound, and names a real one to others', async (t) => {
  const { transports } = await started(t, { ...V4, host: '0.0.0.0' }, { ...V6, host: '::' });
  assert.deepEqual(
    transports.points.map(({ address }) => address),
    ['0.0.0.0', '::'],
  );
  for (const { advertisedHost } of transports.points)
    assert.doesNotMatch(advertisedHost, /^(?:0\.0\.0\.0|\[::\])$/);
});

test('transports: IPv6 sockets leave IPv4 alone, so that both wildcards may have one port', async (t) => {
  const { point } = await started(t, { ...V4, host: '0.0.0.0' });
  const second = await started(t, { ...V6, host: '::', port: point.port });
  assert.equal(second.point.port, point.port);
});

test('transports: a host name to listen on is resolved', async (t) => {
  const { point } = await started(t, { ...V4, host: 'localhost' });
  assert.equal(point.address, '127.0.0.1');
});

const REFUSED: readonly [what: string, option: (taken: number) => ListenOption, reason: RegExp][] = [
  [
    'an address in use',
    (port) => ({ ...V4, port }),
    /udp:127\.0\.0\.1:\d+: address already in use \(EADDRINUSE\)/,
  ],
  [
    'an address of another machine',
    () => ({ ...V4, host: '192.0.2.200' }),
    /udp:192\.0\.2\.200:0: .*EADDRNOTAVAIL/,
  ],
  [
    'a name that does not exist',
    () => ({ ...V4, host: 'no-such-host.invalid' }),
    /udp:no-such-host\.invalid:0: /,
  ],
  [
    'a port that does not exist',
    () => ({ ...V6, port: 65_536 }),
    /udp:\[::1\]:65536: there is no port 65536/,
  ],
  [
    'TLS without a certificate',
    () => ({ ...V4, protocol: 'tls' }),
    /tls:127\.0\.0\.1:0: no certificate is configured/,
  ],
];
for (const [what, option, reason] of REFUSED) {
  test(`transports: ${what} is ERR_LISTEN, and nothing stays bound`, async (t) => {
    const taken = await peer(t);
    const port = await freePort();
    const transports = new Transports({
      listen: [{ ...V4, port }, option(taken.port)],
      log: recordedLog(),
      clock: new FakeClock(),
      sink: () => {},
    });
    await assert.rejects(transports.start(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_LISTEN');
      assert.match(error.message, reason);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    assert.deepEqual(transports.points, []);
    const again = await started(t, { ...V4, port });
    assert.equal(again.point.port, port);
  });
}

for (const [what, bytes] of [
  ['an empty datagram', ''],
  ['a CRLF', '\r\n'],
  ['a double CRLF', '\r\n\r\n'],
  ['a bare LF', '\n'],
] as const) {
  test(`transports: ${what} is a keep-alive, counted and not handed on`, async (t) => {
    const { transports, arrived, arrival, point } = await started(t, V4);
    const { socket } = await peer(t);
    socket.send(bytes, point.port, '127.0.0.1');
    socket.send(MESSAGE, point.port, '127.0.0.1');
    await arrival(0);
    assert.equal(arrived.length, 1);
    assert.deepEqual(transports.statistics(), [
      { point, received: 1, receivedBytes: MESSAGE.length, keepAlives: 1, sent: 0, sentBytes: 0, errors: 0 },
    ]);
  });
}

test('transports: more than a double CRLF is handed on', async (t) => {
  const { arrival, point } = await started(t, V4);
  const { socket } = await peer(t);
  socket.send('\r\n\r\n\r', point.port, '127.0.0.1');
  assert.equal((await arrival(0)).bytes.length, 5);
});

test('transports: a sink that throws is logged, and the next message comes through', async (t) => {
  const log = recordedLog();
  const events = new EventEmitter();
  let count = 0;
  const sink = (): void => {
    count += 1;
    if (count === 1) throw new Error('fault in the sink');
    events.emit('second');
  };
  const transports = new Transports({ listen: [V4], log, clock: new FakeClock(), sink });
  t.after(() => transports.close());
  await transports.start();
  const { socket } = await peer(t);
  const second = once(events, 'second');
  for (let i = 0; i < 2; i += 1) socket.send(MESSAGE, transports.points[0]?.port, '127.0.0.1');
  await second;
  const [line] = log.lines.filter(({ level }) => level === 'error');
  assert.match(String(line?.fields['error']), /fault in the sink/);
});

test('transports: the point for a target is the preferred one if it fits, else the first that does', async (t) => {
  const { transports } = await started(t, V4, V6, V4);
  const [first, v6, third] = transports.points;
  assert.equal(transports.pointFor(LOOPBACK), first);
  assert.equal(transports.pointFor(LOOPBACK, third), third);
  assert.equal(transports.pointFor(LOOPBACK, v6), first);
  assert.equal(transports.pointFor({ ...LOOPBACK, address: '::1' }, third), v6);
  assert.equal(transports.pointFor({ ...LOOPBACK, address: '::ffff:127.0.0.1' }, v6), first);
  assert.equal(transports.pointFor({ ...LOOPBACK, protocol: 'tcp' }, first), null);
});

test('transports: asks for big socket buffers and tells at level debug what it got', async (t) => {
  const { log } = await started(t, V4);
  const [line] = log.lines.filter(({ message }) => message === 'udp buffers');
  assert.equal(line?.level, 'debug');
  assert.equal(line.fields['askedBytes'], 4 * 1_024 * 1_024);
  assert.ok(Number(line.fields['receiveBytes']) > 0 && Number(line.fields['sendBytes']) > 0);
});
