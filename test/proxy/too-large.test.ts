/** A message that is too large, on a stream of a proxy with real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_MESSAGE_BYTES } from '../../core/sip/message.ts';
import { client, request } from '../transport/stream-harness.ts';
import { listeningForwarder } from './listening-forwarder.ts';

test('too large: a request above the limit on TCP gets 413, and the connection is closed', async (t) => {
  const [point] = await listeningForwarder(t, ['tcp'], 9);
  const inbox = await client(t, point?.port ?? assert.fail());
  const whole = request('large', { size: MAX_MESSAGE_BYTES });
  // The head is enough to know: the rest need not come.
  inbox.socket.write(whole.subarray(0, whole.indexOf('\r\n\r\n') + 4));
  await inbox.end();
  assert.match(inbox.text, /^SIP\/2\.0 413 Request Entity Too Large\r\n[^]*\r\n\r\n$/);
  assert.match(inbox.text, /^Call-ID: large\r$/m);
  assert.equal(inbox.text.match(/^SIP\/2\.0 /gm)?.length, 1);
});
