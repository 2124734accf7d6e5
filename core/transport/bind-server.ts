import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { ListenPoint } from '../sip/hop.ts';
import { type Connections, peerAddress } from './connections.ts';
import { listenPoint } from './listen-point.ts';
import type { PeerConnections } from './peer-connections.ts';
import type { Counters, TransportOptions } from './transport.ts';

/**
 * Binds a server of connections, and has those refused that there is no room for. `sockets` holds all there are, those that are no connection
 * yet included. Rejects with the system's error.
 */
export async function bindServer(
  server: Server,
  { option, address, family, log, connections }: TransportOptions,
  { counters, sockets }: { readonly counters: Counters; readonly sockets: Set<Socket> },
): Promise<ListenPoint> {
  // Before all others, so that they find a refused socket destroyed.
  server.prependListener('connection', (socket) => {
    const refused = admit(socket, connections);
    if (refused === null) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return;
    }
    counters.errors += 1;
    log.debug('connection refused', { reason: refused });
  });
  server.listen({ host: address, port: option.port, ipv6Only: family === 6, exclusive: true });
  await once(server, 'listening');
  // Such as no file descriptor for one more: the server goes on.
  server.on('error', (error) => {
    counters.errors += 1;
    log.warn('a connection could not be taken', { listen: `${option.protocol}:${address}`, error });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no address');
  return listenPoint(option, bound);
}

/** Ends a server: takes no more connections, and resolves when there are none left. */
export async function closeServer(
  server: Server,
  { peers, sockets }: { readonly peers: PeerConnections; readonly sockets: ReadonlySet<Socket> },
): Promise<void> {
  const closed = new Promise((resolve) => {
    server.close(resolve);
  });
  await peers.close();
  // Handshakes under way.
  for (const socket of sockets) socket.destroy();
  await closed;
}

function admit(socket: Socket, connections: Connections): string | null {
  const address = peerAddress(socket);
  const refused = connections.full(address);
  if (refused === null) connections.count(socket, address);
  else socket.destroy();
  return refused;
}
