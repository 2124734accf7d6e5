import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { client, request } from '../transport/stream-harness.ts';
import { listeningForwarder } from './listening-forwarder.ts';

/** A reply to a forwarded request, by a callee that copies what it must. */
function reply(text: string): string {
  const kept = text.split('\r\n').filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
  return ['SIP/2.0 200 OK', ...kept, 'Content-Length: 0', '\r\n'].join('\r\n');
}

test('stateless: a response takes the connection that its request came by, also where its Via asks for no rport (RFC 3261 18.2.2)', async (t) => {
  const callee = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => callee.close());
  await once(callee, 'listening');
  callee.on('message', (bytes, { port, address }) =>
    callee.send(reply(bytes.toString('latin1')), port, address),
  );
  const points = await listeningForwarder(t, ['udp', 'tcp'], callee.address().port);
  const port = points.find(({ protocol }) => protocol === 'tcp')?.port ?? assert.fail();
  const inboxes = [await client(t, port), await client(t, port)];
  for (const [i, { socket }] of inboxes.entries())
    socket.write(request(`call-${i}`, { via: `SIP/2.0/TCP client.invalid:9;branch=z9hG4bK${i}` }));
  for (const [i, inbox] of inboxes.entries()) {
    await inbox.has(/^SIP\/2\.0 200 OK\r\n[^]*\r\n\r\n$/);
    assert.match(inbox.text, new RegExp(`Call-ID: call-${i}\r\n`));
    assert.equal(inbox.text.match(/^Via:/gm)?.length, 1);
  }
});
