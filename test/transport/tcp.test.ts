import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../core/sip/hop.ts';
import { checkMessage, parseMessage, type SipRequest } from '../../core/sip/message.ts';
import { buildReply } from '../../core/sip/reply.ts';
import { freePort } from '../programs/free-port.ts';
import { failure } from './harness.ts';
import { client, idOf, request, server, streams, TCP } from './stream-harness.ts';

function parsedRequest(arrived: { bytes: Buffer; received: Parameters<typeof parseMessage>[1] }): SipRequest {
  const parsed = parseMessage(arrived.bytes, arrived.received);
  assert.ok(parsed.ok && parsed.msg.kind === 'request');
  assert.equal(checkMessage(parsed.msg), null);
  return parsed.msg;
}

test('tcp: takes several requests in one segment, and one in three segments (CHECKLIST 134)', async (t) => {
  const { arrival, arrived, point } = await streams(t);
  const { socket } = await client(t, point.port);
  socket.write(Buffer.concat([request('1', { size: 5 }), request('2'), request('3')]));
  await arrival(2);
  const last = request('4', { size: 3_000 });
  for (const [from, to] of [
    [0, 20],
    [20, 400],
    [400, last.length],
  ]) {
    socket.write(last.subarray(from, to));
    // The next segment of its own: the kernel has sent the one before.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual((await arrival(3)).bytes, last);
  assert.deepEqual(
    arrived.map(({ bytes }) => idOf(bytes)),
    ['1', '2', '3', '4'],
  );
});

test('tcp: tells where a message came from, and by which connection', async (t) => {
  const { arrival, point } = await streams(t);
  const first = await client(t, point.port);
  first.socket.write(request('1'));
  const { received } = await arrival(0);
  const { localPort } = first.socket;
  assert.deepEqual(received, { point, address: '127.0.0.1', port: localPort, flow: 1 });
  const second = await client(t, point.port);
  second.socket.write(request('2'));
  assert.notEqual((await arrival(1)).received.flow, received.flow);
});

test('tcp: works over IPv6', async (t) => {
  const one = await streams(t, { listen: [{ ...TCP, host: '::1' }] });
  const other = await streams(t, { listen: [{ ...TCP, host: '::1' }] });
  one.transports.send(request('1'), { protocol: 'tcp', address: '::1', port: other.point.port });
  assert.equal((await other.arrival(0)).received.address, '::1');
});

test('tcp: a reply takes the connection of its request, whatever the Via says (CHECKLIST 135)', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const inbox = await client(t, point.port);
  inbox.socket.write(request('1', { via: 'SIP/2.0/TCP 192.0.2.1:9;branch=z9hG4bK1;rport' }));
  const msg = parsedRequest(await arrival(0));
  transports.reply(msg, buildReply(msg, 200, 'OK', { toTag: 't' }));
  await inbox.has(/^SIP\/2\.0 200 OK\r\n/);
});

test('tcp: when that connection is closed, a reply opens one to the sender at the port of its sent-by (RFC 3261 18.2.2)', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const answered = await server(t);
  const inbox = await client(t, point.port);
  const via = `SIP/2.0/TCP sender.invalid:${answered.target.port};branch=z9hG4bK1;rport`;
  inbox.socket.write(request('1', { via }));
  const msg = parsedRequest(await arrival(0));
  inbox.socket.end();
  await inbox.end();
  transports.reply(msg, buildReply(msg, 200, 'OK', { toTag: 't' }));
  await (await answered.connection(0)).has(/^SIP\/2\.0 200 OK\r\n/);
});

test('tcp: requests to one place share a connection, and their order', async (t) => {
  const { transports } = await streams(t);
  const callee = await server(t);
  const ids = Array.from({ length: 20 }, (_, i) => String(i));
  for (const id of ids) transports.send(request(id), callee.target);
  const inbox = await callee.connection(0);
  await inbox.has(/Call-ID: 19\r\n/);
  assert.deepEqual(
    [...inbox.text.matchAll(/Call-ID: (\d+)/g)].map(([, id]) => id),
    ids,
  );
  assert.equal(callee.inboxes.length, 1);
  assert.equal(transports.statistics()[0]?.sent, 20);
});

test('tcp: a request takes the connection that its target opened, by its source address and port', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const inbox = await client(t, point.port);
  inbox.socket.write(request('1'));
  const { received } = await arrival(0);
  transports.send(request('back'), { protocol: 'tcp', address: received.address, port: received.port });
  await inbox.has(/Call-ID: back/);
});

test('tcp: a connection that the peer closed is not used again', async (t) => {
  const { transports, point } = await streams(t);
  const callee = await server(t);
  transports.send(request('1'), callee.target);
  const first = await callee.connection(0);
  await first.has(/Call-ID: 1/);
  first.socket.end();
  await first.end();
  transports.send(request('2'), callee.target);
  await (await callee.connection(1)).has(/Call-ID: 2/);
  assert.ok(point.port > 0);
});

test('tcp: outgoing connections come from the address that is listened on', async (t) => {
  const { transports } = await streams(t, { listen: [{ ...TCP, host: '127.0.0.2' }] });
  const callee = await server(t);
  transports.send(request('1'), callee.target);
  assert.equal((await callee.connection(0)).socket.remoteAddress, '127.0.0.2');
});

test('tcp: a connection that is refused is told to every sender, after send has returned', async (t) => {
  const { transports } = await streams(t);
  const target = { protocol: 'tcp', address: '127.0.0.1', port: await freePort() } as const;
  const failures = await Promise.all([1, 2].map(() => failure(transports, request('1'), target)));
  for (const error of failures) assert.match(error.message, /ECONNREFUSED/);
  assert.equal(transports.statistics()[0]?.errors, 2);
});

test('tcp: a port that does not exist is told to the sender', async (t) => {
  const { transports } = await streams(t);
  const target = { protocol: 'tcp', address: '127.0.0.1', port: 65_536 } as const;
  assert.match((await failure(transports, request('1'), target)).message, /port/i);
});

test('tcp: sends fail once the transports are closed', async (t) => {
  const { transports } = await streams(t);
  await transports.close();
  const target = { protocol: 'tcp', address: '127.0.0.1', port: 5_060 } as const;
  assert.match((await failure(transports, request('1'), target)).message, /closed/);
});

test('tcp: what was sent before the close arrives', async (t) => {
  const { transports } = await streams(t);
  const callee = await server(t);
  transports.send(request('1'), callee.target);
  const inbox = await callee.connection(0);
  await inbox.has(/Call-ID: 1/);
  transports.send(request('2', { size: 50_000 }), callee.target);
  await transports.close();
  await inbox.end();
  assert.match(inbox.text, /Call-ID: 2/);
  assert.ok(inbox.text.endsWith('b'.repeat(50_000)));
});

test('tcp: a double CRLF gets a CRLF, and is handed on to no one (CHECKLIST 137)', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const inbox = await client(t, point.port);
  inbox.socket.write('\r\n\r\n');
  await inbox.has(/^\r\n$/);
  inbox.socket.write(request('1'));
  await arrival(0);
  assert.equal(transports.statistics()[0]?.keepAlives, 1);
});

test('tcp: a thousand double CRLFs at once get one CRLF', async (t) => {
  const { point } = await streams(t, {
    onArrival: ({ received }, transports) =>
      transports.send(request('end'), { protocol: 'tcp', ...received }),
  });
  const inbox = await client(t, point.port);
  inbox.socket.write('\r\n\r\n'.repeat(1_000));
  await inbox.has(/^\r\n/);
  inbox.socket.write(request('1'));
  await inbox.has(/Call-ID: end/);
  assert.ok(inbox.text.indexOf('MESSAGE') <= 10);
});

test('tcp: without Content-Length the request is handed on for its 400, and the connection closed (CHECKLIST 011)', async (t) => {
  const { arrived, point, log } = await streams(t, {
    onArrival: ({ bytes, received }, transports) => {
      const parsed = parseMessage(bytes, received);
      assert.ok(!parsed.ok && parsed.status === 400 && parsed.msg?.kind === 'request');
      transports.reply(parsed.msg, buildReply(parsed.msg, 400, 'Bad Request', { toTag: 't' }));
    },
  });
  const inbox = await client(t, point.port);
  const without = request('1').toString('latin1').replace('Content-Length: 0\r\n', '');
  inbox.socket.write(without + request('2').toString('latin1'));
  await inbox.end();
  assert.match(inbox.text, /^SIP\/2\.0 400 Bad Request\r\n/);
  assert.equal(arrived.length, 1);
  assert.ok(log.lines.some(({ fields }) => fields['reason'] === 'no Content-Length'));
});

test('tcp: an alias is not heeded unless the configuration says so', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const callee = await server(t);
  const inbox = await client(t, point.port);
  const { port } = callee.target;
  inbox.socket.write(request('1', { via: `SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bK1;alias` }));
  await arrival(0);
  transports.send(request('2'), callee.target);
  await (await callee.connection(0)).has(/Call-ID: 2/);
});

test('tcp: an alias makes requests to its sent-by port take the connection (RFC 5923)', async (t) => {
  const { transports, arrival, point } = await streams(t, { limits: { acceptAliases: true } });
  const inbox = await client(t, point.port);
  const port = await freePort();
  inbox.socket.write(request('1', { via: `SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bK1;alias` }));
  await arrival(0);
  transports.send(request('2'), { protocol: 'tcp', address: '127.0.0.1', port });
  await inbox.has(/Call-ID: 2/);
});

test('tcp: a target that only a flow will do for is not reached once the connection is gone', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const { target } = await server(t);
  const inbox = await client(t, point.port);
  inbox.socket.write(request('1'));
  const { flow } = (await arrival(0)).received;
  const onFlow: Target = { ...target, flow, onlyFlow: true };
  transports.send(request('2'), onFlow);
  await inbox.has(/Call-ID: 2/);
  inbox.socket.end();
  await inbox.end();
  assert.equal((await failure(transports, request('3'), onFlow)).message, 'the flow is gone');
});

test('tcp: a reply just behind the reset of its connection opens another (RFC 3261 18.2.2)', async (t) => {
  const { transports, arrival, point } = await streams(t);
  const answered = await server(t);
  const inbox = await client(t, point.port);
  const via = `SIP/2.0/TCP sender.invalid:${answered.target.port};branch=z9hG4bK1`;
  inbox.socket.write(request('1', { via }));
  const msg = parsedRequest(await arrival(0));
  const failed: Error[] = [];
  // The system knows of the reset at once, the proxy once it reads or writes.
  inbox.socket.resetAndDestroy();
  transports.reply(msg, buildReply(msg, 200, 'OK', { toTag: 't' }), (error) => failed.push(error));
  await (await answered.connection(0)).has(/^SIP\/2\.0 200 OK\r\n/);
  assert.deepEqual(failed, []);
});

test('tcp: a request that meets a connection which its peer has just reset goes by another', async (t) => {
  const { transports } = await streams(t);
  const callee = await server(t);
  transports.send(request('1'), callee.target);
  const first = await callee.connection(0);
  await first.has(/Call-ID: 1/);
  const failed: Error[] = [];
  first.socket.resetAndDestroy();
  transports.send(request('2'), callee.target, (error) => failed.push(error));
  await (await callee.connection(1)).has(/Call-ID: 2/);
  assert.deepEqual(failed, []);
});
