import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ListenPoint, Target } from '../sip/hop.ts';
import { isWildcard } from './addresses.ts';
import { bindServer, closeServer } from './bind-server.ts';
import type { Connection } from './connection.ts';
import { peerAddress } from './connections.ts';
import { PeerConnections } from './peer-connections.ts';
import { SocketWire } from './socket-wire.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import { connectSecurely, proves, refusal, tlsServerOptions } from './tls-server.ts';
import type { Counters, SendFailure, Transport, TransportOptions } from './transport.ts';

/** SIP over TCP, or with credentials over TLS, on one address (RFC 3261 18, 26.2). */
export class StreamTransport implements Transport {
  readonly counters: Counters = { received: 0, keepAlives: 0, sent: 0, errors: 0 };
  readonly #options: TransportOptions;
  readonly #tls: TlsCredentials | null;
  readonly #peers: PeerConnections;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #point: ListenPoint | null = null;

  constructor(options: TransportOptions, tls: TlsCredentials | null) {
    this.#options = options;
    this.#tls = tls;
    this.#peers = new PeerConnections(options, this.counters);
  }

  async open(): Promise<ListenPoint> {
    const server = this.#tls === null ? this.#tcpServer() : this.#tlsServer(this.#tls);
    const point = await bindServer(server, this.#options, {
      counters: this.counters,
      sockets: this.#sockets,
    });
    this.#server = server;
    this.#point = point;
    return point;
  }

  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    let connection: Connection;
    try {
      connection = this.#peers.find(target) ?? this.#connect(target);
    } catch (error) {
      // No room, or arguments that Node.js refuses, such as port 65536.
      this.counters.errors += 1;
      if (onError !== undefined)
        process.nextTick(onError, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    connection.send(bytes, onError);
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) await closeServer(server, { peers: this.#peers, sockets: this.#sockets });
  }

  get #socketOptions() {
    const { keepIdleMs } = this.#options.connections.limits;
    return { noDelay: true, keepAlive: keepIdleMs > 0, keepAliveInitialDelay: keepIdleMs };
  }

  #tcpServer(): Server {
    return createServer(this.#socketOptions, (socket) => this.#accept(socket, () => true));
  }

  #tlsServer(tls: TlsCredentials): Server {
    const { connectTimeoutMs } = this.#options.connections.limits;
    const options = { ...this.#socketOptions, ...tlsServerOptions(tls, connectTimeoutMs) };
    const server = createTlsServer(options, (socket) => {
      const refused = refusal(socket, tls);
      if (refused === null) return this.#accept(socket, proves(socket));
      this.#refuse(refused);
      socket.destroy();
    });
    server.on('tlsClientError', (error) => this.#refuse(error));
    tls.onChange(() => server.setSecureContext(tls.options));
    return server;
  }

  #refuse(error: Error): void {
    this.counters.errors += 1;
    this.#options.log.debug('TLS handshake failed', { error: String(error) });
  }

  #accept(socket: Socket, identifies: (host: string) => boolean): void {
    const address = peerAddress(socket);
    if (socket.destroyed || address === '' || this.#point === null) {
      socket.destroy();
      return;
    }
    const peer = { address, port: socket.remotePort ?? 0, incoming: true };
    const connection = this.#peers.open(this.#point, peer);
    connection.use(new SocketWire(socket, connection, identifies));
    connection.opened();
  }

  /** @throws when there is no room. */
  #connect(target: Target): Connection {
    const { connections } = this.#options;
    const point = this.#point;
    if (this.#server === null || point === null) throw new Error('socket is closed');
    const { address, port } = target;
    const full = connections.full(address);
    if (full !== null) throw new Error(full);
    const place = {
      ...this.#socketOptions,
      host: address,
      port,
      // Multi-homed machines: from the address that Via and Record-Route name.
      ...(isWildcard(point.address) ? {} : { localAddress: point.address }),
    };
    const secure = this.#tls === null ? null : connectSecurely(place, target.host ?? address, this.#tls);
    const socket = secure ?? connect(place);
    connections.count(socket, address);
    const { host } = target;
    const connection = this.#peers.open(point, { address, port, incoming: false, host });
    const known = this.#tls?.settings.verifyServer === true;
    connection.use(
      new SocketWire(socket, connection, secure !== null && known ? proves(secure) : () => true),
    );
    socket.once(secure === null ? 'connect' : 'secureConnect', () => connection.opened());
    return connection;
  }
}
