import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay that stands for a network between a proxy and memcached. */
export interface DelayRelay {
  /** Port of 127.0.0.1. */
  readonly port: number;
  close(): void;
}

/** Relays from a free port to another; whatever comes goes on `delayMs` later, in order, in each direction. */
export async function startDelayRelay(target: number, delayMs: number): Promise<DelayRelay> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      sockets.add(from);
      // All timers have one delay: Node.js fires such in the order in which they were set.
      from.on('data', (bytes) => void setTimeout(() => to.write(bytes), delayMs));
      from.on('end', () => void setTimeout(() => to.end(), delayMs));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
