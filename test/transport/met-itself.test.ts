import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { hasMetItself } from '../../core/transport/met-itself.ts';

const host = '127.0.0.1';

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

test('tcp: a connection that has met itself is known', async () => {
  const { server, port } = await listening();
  server.close();
  await once(server, 'close');
  const socket = connect({ host, port, localAddress: host, localPort: port });
  await once(socket, 'connect');
  assert.ok(hasMetItself(socket));
  socket.destroy();
});

test('tcp: a connection with a server on the same address has not met itself', async () => {
  const { server, port } = await listening();
  const socket = connect({ host, port });
  await once(socket, 'connect');
  assert.ok(!hasMetItself(socket));
  socket.destroy();
  server.close();
});
