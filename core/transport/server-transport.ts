import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { ListenPoint, Target } from '../sip/hop.ts';
import { peerAddress } from './connections.ts';
import { listenPoint } from './listen-point.ts';
import { PeerConnections } from './peer-connections.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import {
  type Counters,
  newCounters,
  type SendFailure,
  type Transport,
  type TransportOptions,
} from './transport.ts';

/** What the protocols of connections have in common: a server on one address, and the connections that belong to it. */
export abstract class ServerTransport implements Transport {
  readonly counters: Counters = newCounters();
  protected readonly options: TransportOptions;
  /** Null: the connections are not secured. */
  protected readonly tls: TlsCredentials | null;
  protected readonly peers: PeerConnections;
  /** All there are, those that are no connection yet included. */
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #point: ListenPoint | null = null;

  constructor(options: TransportOptions, tls: TlsCredentials | null) {
    this.options = options;
    this.tls = tls;
    this.peers = new PeerConnections(options, this.counters);
  }

  /** Null until the server is bound, and once it is closed. */
  protected get point(): ListenPoint | null {
    return this.#server === null ? null : this.#point;
  }

  protected abstract newServer(): Server;
  abstract send(bytes: Buffer, target: Target, onError?: SendFailure): void;

  /** Binds, and has connections refused that there is no room for. Rejects with the system's error. */
  async open(): Promise<ListenPoint> {
    const { option, address, family, log } = this.options;
    const server = this.newServer();
    // Before all others, so that they find a refused socket destroyed.
    server.prependListener('connection', (socket) => this.#admit(socket));
    server.listen({ host: address, port: option.port, ipv6Only: family === 6, exclusive: true });
    await once(server, 'listening');
    // Such as no file descriptor for one more: the server goes on.
    server.on('error', (error) => {
      this.counters.errors += 1;
      log.warn('a connection could not be taken', { listen: `${option.protocol}:${address}`, error });
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the server has no address');
    this.#server = server;
    this.#point = listenPoint(option, bound);
    return this.#point;
  }

  /** Takes no more connections; resolves when there are none left. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    await this.peers.close();
    // Handshakes under way.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Counts a message that could not be sent, and tells its sender. */
  protected fail(error: Error, onError: SendFailure | undefined): void {
    this.counters.errors += 1;
    if (onError !== undefined) process.nextTick(onError, error);
  }

  #admit(socket: Socket): void {
    const { connections, log } = this.options;
    const address = peerAddress(socket);
    const refused = connections.full(address);
    if (refused !== null) {
      socket.destroy();
      this.counters.errors += 1;
      log.debug('connection refused', { reason: refused });
      return;
    }
    connections.count(socket, address);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
