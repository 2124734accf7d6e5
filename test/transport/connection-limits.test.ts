import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CONNECTION_LIMITS as LIMITS } from '../../core/transport/connection-limits.ts';
import { failure } from './harness.ts';
import { client, request, server, streams } from './stream-harness.ts';

for (const limits of [{ maxConnections: 2 }, { maxConnectionsPerAddress: 2 }]) {
  const [name] = Object.keys(limits);
  test(`connections: above ${name} a new one is closed, and there is room again when one has gone`, async (t) => {
    const { transports, arrival, point } = await streams(t, { limits });
    const [first] = [await client(t, point.port), await client(t, point.port)];
    await (await client(t, point.port)).end();
    assert.equal(transports.statistics()[0]?.errors, 1);
    first.socket.write(request('1'));
    await arrival(0);
    first.socket.end();
    await first.end();
    const again = await client(t, point.port);
    again.socket.write(request('2'));
    await arrival(1);
  });

  test(`connections: above ${name} none is opened either, and the sender is told`, async (t) => {
    const { transports, arrival, point } = await streams(t, { limits });
    const callee = await server(t);
    const sockets = [await client(t, point.port), await client(t, point.port)];
    for (const { socket } of sockets) socket.write(request('1'));
    await arrival(1);
    const error = await failure(transports, request('2'), callee.target);
    assert.match(error.message, /^there are 2 connections/);
  });
}

test('connections: an idle one is closed, and one that is used stays', async (t) => {
  const { arrival, clock, point } = await streams(t);
  const [idle, used] = [await client(t, point.port), await client(t, point.port)];
  idle.socket.write(request('1'));
  await arrival(0);
  clock.advance(LIMITS.idleMs - 1);
  used.socket.write(request('2'));
  await arrival(1);
  clock.advance(1);
  await idle.end();
  used.socket.write(request('3'));
  await arrival(2);
  clock.advance(LIMITS.idleMs);
  await used.end();
});

test('connections: one lives no longer than its lifetime, however busy', async (t) => {
  const { arrival, clock, point } = await streams(t, { limits: { lifetimeMs: 1_000 } });
  const inbox = await client(t, point.port);
  inbox.socket.write(request('1'));
  await arrival(0);
  clock.advance(999);
  inbox.socket.write(request('2'));
  await arrival(1);
  assert.equal(inbox.ended, false);
  clock.advance(1);
  await inbox.end();
});

test('connections: a message must be whole in time, whatever trickles in', async (t) => {
  const { arrival, clock, log, point } = await streams(t);
  const inbox = await client(t, point.port);
  const bytes = request('2', { size: 10 });
  // The first comes whole with the start of the second, so that it is known to have been read.
  inbox.socket.write(Buffer.concat([request('1'), bytes.subarray(0, 30)]));
  await arrival(0);
  clock.advance(LIMITS.messageTimeoutMs - 1);
  assert.equal(inbox.ended, false);
  clock.advance(1);
  await inbox.end();
  assert.ok(log.lines.some(({ fields }) => fields['reason'] === 'a message takes too long'));
});

test('connections: a message that is whole in time costs the next one nothing', async (t) => {
  const { arrival, clock, point } = await streams(t);
  const inbox = await client(t, point.port);
  const bytes = request('2', { size: 10 });
  inbox.socket.write(Buffer.concat([request('1'), bytes.subarray(0, 30)]));
  await arrival(0);
  clock.advance(LIMITS.messageTimeoutMs - 1);
  inbox.socket.write(Buffer.concat([bytes.subarray(30), bytes.subarray(0, 30)]));
  await arrival(1);
  clock.advance(LIMITS.messageTimeoutMs - 1);
  inbox.socket.write(bytes.subarray(30));
  await arrival(2);
});

test('connections: what a peer does not take is bounded, and the connection closed in time', async (t) => {
  const { transports, clock, log } = await streams(t, { limits: { connectionQueueBytes: 200_000 } });
  const callee = await server(t);
  transports.send(request('1'), callee.target);
  const inbox = await callee.connection(0);
  await inbox.has(/Call-ID: 1/);
  inbox.socket.pause();
  const bytes = request('2', { size: 60_000 });
  const errors: Error[] = [];
  // The kernel takes some; what it does not take waits here, and no more than the bound.
  while (errors.length === 0) {
    transports.send(bytes, callee.target, (error) => errors.push(error));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(errors[0]?.message, 'write queue is full');
  clock.advance(LIMITS.sendTimeoutMs);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(log.lines.some(({ fields }) => fields['reason'] === 'send timeout'));
});

test('connections: what waits on all of them together is bounded', async (t) => {
  const { transports } = await streams(t, { limits: { totalQueueBytes: 1_000 } });
  const [one, other] = [await server(t), await server(t)];
  const errors: Error[] = [];
  transports.send(request('1', { size: 500 }), one.target);
  transports.send(request('2', { size: 500 }), other.target, (error) => errors.push(error));
  await (await one.connection(0)).has(/Call-ID: 1/);
  assert.equal(errors[0]?.message, 'write queue is full');
});
