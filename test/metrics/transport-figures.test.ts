import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exposition } from '../../core/main/exposition.ts';
import { declareTransportFigures } from '../../core/proxy/figures.ts';
import { Figures } from '../../core/registry/figures.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { client, request, streams, TCP } from '../transport/stream-harness.ts';
import { scraped } from './scraped.ts';

test('figures of sockets: messages, bytes and connections, for each address by itself', async (t) => {
  const { transports, point, arrival } = await streams(t, {
    listen: [TCP, { ...TCP, protocol: 'udp' }, TCP],
  });
  const figures = new Figures();
  declareTransportFigures(figures, transports);
  const exposition = new Exposition(figures, recordedLog());
  const [first, udp, other] = transports.points.map(
    ({ protocol, port }) => `{protocol="${protocol}",listen="${protocol}:127.0.0.1:${port}"}`,
  );
  const said = async (name: string) => {
    const values = scraped(await exposition.text()).metrics.get(`kamaiki_transport_${name}`)?.values;
    return [first, udp, other].map((labels) => values?.get(`kamaiki_transport_${name}${labels}`));
  };
  assert.deepEqual(await said('connections'), [0, undefined, 0]);

  const peer = await client(t, point.port);
  const message = request('one');
  peer.socket.write(message);
  const { received } = await arrival(0);
  assert.deepEqual(await said('received_messages_total'), [1, 0, 0]);
  assert.deepEqual(await said('received_bytes_total'), [message.length, 0, 0]);
  assert.deepEqual(await said('connections'), [1, undefined, 0]);

  const { address, port, flow } = received;
  const answer = request('two', { size: 10 });
  transports.send(answer, { protocol: 'tcp', address, port, flow, point });
  await peer.has(/Call-ID: two\r\n[^]*b{10}$/);
  // Counted when the system has taken it, which the process may hear after the peer.
  while ((await said('sent_messages_total'))[0] === 0);
  assert.deepEqual(await said('sent_bytes_total'), [answer.length, 0, 0]);
  assert.deepEqual(await said('errors_total'), [0, 0, 0]);

  peer.socket.write('\r\n\r\n');
  await peer.has(/b\r\n$/);
  assert.deepEqual(await said('keepalives_total'), [1, 0, 0]);
});
