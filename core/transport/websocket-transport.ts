import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ListenPoint, Target } from '../sip/hop.ts';
import { MAX_MESSAGE_BYTES } from '../sip/message.ts';
import { bindServer, closeServer } from './bind-server.ts';
import { peerAddress } from './connections.ts';
import { PeerConnections } from './peer-connections.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import { proves, refusal, tlsServerOptions } from './tls-server.ts';
import type { Counters, SendFailure, Transport, TransportOptions } from './transport.ts';
import { WebSocketWire } from './websocket-wire.ts';

/** The subprotocol that stands for SIP (RFC 7118 4.1). */
const SUBPROTOCOL = 'sip';

/** SIP over WebSocket, or with credentials over secure WebSocket, on one address. Connections are opened by clients only (RFC 7118 5.2.2). */
export class WebSocketTransport implements Transport {
  readonly counters: Counters = { received: 0, keepAlives: 0, sent: 0, errors: 0 };
  readonly #options: TransportOptions;
  readonly #tls: TlsCredentials | null;
  readonly #peers: PeerConnections;
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => SUBPROTOCOL,
  });
  /** Sockets on which no WebSocket has been asked for yet. */
  readonly #pending = new WeakSet<object>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #point: ListenPoint | null = null;

  constructor(options: TransportOptions, tls: TlsCredentials | null) {
    this.#options = options;
    this.#tls = tls;
    this.#peers = new PeerConnections(options, this.counters);
  }

  async open(): Promise<ListenPoint> {
    const server = this.#tls === null ? createServer(refuseRequest) : this.#secureServer(this.#tls);
    server.on(this.#tls === null ? 'connection' : 'secureConnection', (socket: Socket) =>
      this.#limit(socket),
    );
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    const point = await bindServer(server, this.#options, {
      counters: this.counters,
      sockets: this.#sockets,
    });
    this.#server = server;
    this.#point = point;
    return point;
  }

  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    const connection = this.#peers.find(target);
    if (connection !== null) return connection.send(bytes, onError);
    this.counters.errors += 1;
    const reason = `no WebSocket from ${target.address}:${target.port} is open`;
    if (onError !== undefined) process.nextTick(onError, new Error(reason));
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) await closeServer(server, { peers: this.#peers, sockets: this.#sockets });
  }

  #secureServer(tls: TlsCredentials): Server {
    const { connectTimeoutMs } = this.#options.connections.limits;
    const server = createHttpsServer(tlsServerOptions(tls, connectTimeoutMs), refuseRequest);
    server.on('tlsClientError', () => {
      this.counters.errors += 1;
    });
    tls.onChange(() => server.setSecureContext(tls.options));
    return server;
  }

  /** Gives a new socket its time to ask for a WebSocket. */
  #limit(socket: Socket): void {
    const { clock, limits } = this.#options.connections;
    socket.setNoDelay(true);
    socket.setKeepAlive(limits.keepIdleMs > 0, limits.keepIdleMs);
    this.#pending.add(socket);
    const timer = clock.setTimer(limits.connectTimeoutMs, () => {
      if (this.#pending.has(socket)) socket.destroy();
    });
    socket.once('close', () => timer.cancel());
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const tls = this.#tls;
    const refused = tls !== null && request.socket instanceof TLSSocket ? refusal(request.socket, tls) : null;
    if (refused !== null || !offered.includes(SUBPROTOCOL)) {
      this.counters.errors += 1;
      const status = refused === null ? '400 Bad Request' : '403 Forbidden';
      // Without a handler, an error on the way out would be one of the process.
      socket.on('error', () => undefined);
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#handshakes.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, request.socket),
    );
  }

  #accept(webSocket: WebSocket, socket: Socket): void {
    this.#pending.delete(socket);
    const address = peerAddress(socket);
    if (address === '' || this.#point === null || this.#server === null) return webSocket.terminate();
    const { clock, limits } = this.#options.connections;
    const peer = { address, port: socket.remotePort ?? 0, incoming: true };
    const connection = this.#peers.open(this.#point, peer);
    const identifies = socket instanceof TLSSocket ? proves(socket) : () => true;
    connection.use(
      new WebSocketWire(webSocket, connection, { clock, pingMs: limits.idleMs / 2, identifies }),
    );
    connection.opened();
  }
}

/** Answers what is no WebSocket handshake (RFC 9110 15.5.22). */
function refuseRequest(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end();
}
