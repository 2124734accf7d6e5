import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const ATTEMPTS = 20;

/** A port of 127.0.0.1 that was free for both UDP and TCP a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const socket = createSocket('udp4');
    const server = createServer();
    try {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const { port } = socket.address();
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (error) {
      // The port is taken for TCP: another one.
      if (attempt + 1 === ATTEMPTS) throw error;
    } finally {
      socket.close();
      server.close();
    }
  }
  throw new Error('unreachable');
}
