import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Target } from '../sip/hop.ts';
import { isWildcard } from './addresses.ts';
import type { Connection } from './connection.ts';
import { peerAddress } from './connections.ts';
import { onceConnected } from './met-itself.ts';
import { ServerTransport } from './server-transport.ts';
import { SocketWire } from './socket-wire.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import { connectSecurely, proves, refusal, tlsServerOptions } from './tls-server.ts';
import type { SendFailure } from './transport.ts';

/** What a write comes to on a connection that the peer has given up. */
const BROKEN: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED']);

function isBroken(error: Error): boolean {
  return 'code' in error && BROKEN.has(error.code);
}

/** SIP over TCP, or with credentials over TLS, on one address (RFC 3261 18, 26.2). */
export class StreamTransport extends ServerTransport {
  protected newServer(): Server {
    return this.tls === null
      ? createServer(this.#socketOptions, (socket) => this.#accept(socket, () => true))
      : this.#tlsServer(this.tls);
  }

  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    const known = this.peers.find(target);
    if (known === null) return this.#sendAnew(bytes, target, onError);
    known.send(bytes, (error) => {
      // It broke before it took the message: another may lead there (RFC 3261 18.2.2).
      if (isBroken(error) && target.onlyFlow !== true) this.#sendAnew(bytes, target, onError);
      else onError?.(error);
    });
  }

  /** Sends by a connection that is not the one which has been tried. */
  #sendAnew(bytes: Buffer, target: Target, onError: SendFailure | undefined): void {
    let connection: Connection;
    try {
      connection = this.peers.find(target) ?? this.#connect(target);
    } catch (error) {
      // No room, or arguments that Node.js refuses, such as port 65536.
      return this.fail(error instanceof Error ? error : new Error(String(error)), onError);
    }
    connection.send(bytes, onError);
  }

  get #socketOptions() {
    const { keepIdleMs } = this.options.connections.limits;
    return { noDelay: true, keepAlive: keepIdleMs > 0, keepAliveInitialDelay: keepIdleMs };
  }

  #tlsServer(tls: TlsCredentials): Server {
    const { connectTimeoutMs } = this.options.connections.limits;
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
    this.options.log.debug('TLS handshake failed', { error: String(error) });
  }

  #accept(socket: Socket, identifies: (host: string) => boolean): void {
    const address = peerAddress(socket);
    const { point } = this;
    if (socket.destroyed || address === '' || point === null) {
      socket.destroy();
      return;
    }
    const peer = { address, port: socket.remotePort ?? 0, incoming: true };
    const connection = this.peers.open(point, peer);
    connection.use(new SocketWire(socket, connection, identifies));
    connection.opened();
  }

  /** @throws when there is no room. */
  #connect(target: Target): Connection {
    const { connections } = this.options;
    const { point } = this;
    if (point === null) throw new Error('socket is closed');
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
    const secure = this.tls === null ? null : connectSecurely(place, target.host ?? address, this.tls);
    const socket = secure ?? connect(place);
    connections.count(socket, address);
    const { host } = target;
    const connection = this.peers.open(point, { address, port, incoming: false, host });
    const known = this.tls?.settings.verifyServer === true;
    connection.use(
      new SocketWire(socket, connection, secure !== null && known ? proves(secure) : () => true),
    );
    onceConnected(socket, secure === null ? 'connect' : 'secureConnect', () => connection.opened());
    return connection;
  }
}
