/** Lines about streams, seen by a client and a callee of a proxy with real sockets. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { request as tmRequest, response } from '../modules/tm/messages.ts';
import { listeningForwarder } from '../proxy/listening-forwarder.ts';
import { proxyRig } from '../proxy-rig.ts';
import { client, idOf, request } from '../transport/stream-harness.ts';
import { forwarded, relayAll } from './relaying.ts';

/** A proxy that listens on TCP and UDP, a client connected to it, and the callee to which it forwards. */
async function connected(t: TestContext) {
  const callee = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => callee.close());
  await once(callee, 'listening');
  const points = await listeningForwarder(t, ['udp', 'tcp'], callee.address().port);
  const port = points.find(({ protocol }) => protocol === 'tcp')?.port ?? assert.fail();
  return { callee, inbox: await client(t, port) };
}

/** Call-IDs of the next `count` requests that the callee gets. */
function callIds(callee: Socket, count: number): Promise<string[]> {
  const found: string[] = [];
  return new Promise((resolve) =>
    callee.on('message', (bytes) => {
      if (found.push(idOf(bytes)) === count) resolve(found);
    }),
  );
}

test('checklist 007: a request without Content-Length on TCP gets 400, and the connection is closed', async (t) => {
  const { inbox } = await connected(t);
  inbox.socket.write(
    request('lost')
      .toString('latin1')
      .replace(/Content-Length: .*\r\n/, ''),
  );
  await inbox.end();
  assert.match(inbox.text, /^SIP\/2\.0 400 [^]*\r\n\r\n$/);
  assert.equal(inbox.text.match(/^SIP\/2\.0 /gm)?.length, 1);
});

test('checklist 134: on TCP several requests in one segment, and one in three, are each forwarded once', async (t) => {
  const { callee, inbox } = await connected(t);
  const together = callIds(callee, 3);
  inbox.socket.write(Buffer.concat([request('1', { size: 5 }), request('2'), request('3')]));
  assert.deepEqual((await together).toSorted(), ['1', '2', '3']);
  callee.removeAllListeners('message');
  const rest = callIds(callee, 2);
  const parts = request('4', { size: 600 });
  for (const [from, to] of [
    [0, 20],
    [20, 500],
    [500, parts.length],
  ]) {
    inbox.socket.write(parts.subarray(from, to));
    // The next segment of its own: the kernel has sent the one before.
    await new Promise((resolve) => setImmediate(resolve));
  }
  inbox.socket.write(request('5'));
  assert.deepEqual(await rest, ['4', '5']);
});

test('checklist 106: over TCP no state is kept after the final response (timer J is 0)', async () => {
  const point = {
    protocol: 'tcp',
    family: 4,
    address: '10.0.0.1',
    port: 5060,
    advertisedHost: '10.0.0.1',
    advertisedPort: 5060,
    sentBy: '10.0.0.1:5060',
  } as const;
  const rig = await proxyRig(relayAll, { points: [point] });
  const options = tmRequest({ method: 'OPTIONS', uri: 'sip:bob@10.0.0.3;transport=tcp' }).replace(
    '/UDP',
    '/TCP',
  );
  await rig.receive(options);
  await rig.receive(response(forwarded(rig.take()).text, 200));
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
  await rig.advance(0);
  await rig.receive(options);
  assert.equal(forwarded(rig.take()).to, '10.0.0.3:5060');
});
