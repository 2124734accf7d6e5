import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const ATTEMPTS = 20;

/** Where ports are looked for: below those that the system gives to connections, which could take one before the program that it is meant for does. */
const LOWEST = 10_000;
const BEYOND = 32_768;

/** A port of 127.0.0.1 that was free for both UDP and TCP a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, BEYOND);
    const socket = createSocket('udp4');
    const server = createServer();
    try {
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (error) {
      // The port is taken: another one.
      if (attempt + 1 === ATTEMPTS) throw error;
    } finally {
      socket.close();
      server.close();
    }
  }
  throw new Error('unreachable');
}
