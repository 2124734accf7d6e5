import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { onceConnected } from '../../core/transport/met-itself.ts';

const host = '127.0.0.1';

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

test('tcp: a connection that has met itself ends with an error, and never opens', async () => {
  const { server, port } = await listening();
  server.close();
  await once(server, 'close');
  const socket = connect({ host, port, localAddress: host, localPort: port });
  onceConnected(socket, 'connect', () => assert.fail('opened'));
  const [error] = await once(socket, 'error');
  assert.match(String(error), /nothing listens there/);
  assert.ok(socket.destroyed);
});

test('tcp: a connection with a server on the same address opens', async () => {
  const { server, port } = await listening();
  const socket = connect({ host, port });
  await new Promise<void>((resolve) => onceConnected(socket, 'connect', resolve));
  assert.ok(!socket.destroyed);
  socket.destroy();
  server.close();
});
