import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Target } from '../sip/hop.ts';
import { MAX_MESSAGE_BYTES } from '../sip/message.ts';
import { peerAddress } from './connections.ts';
import { ServerTransport } from './server-transport.ts';
import type { TlsCredentials } from './tls-credentials.ts';
import { proves, refusal, tlsServerOptions } from './tls-server.ts';
import type { SendFailure } from './transport.ts';
import { WebSocketWire } from './websocket-wire.ts';

/** The subprotocol that stands for SIP (RFC 7118 4.1). */
const SUBPROTOCOL = 'sip';
/** Frames that a message may come in, and pieces of the stream that a frame may: each costs a hundred times what may stand in it. */
const MAX_FRAGMENTS = 256;
const MAX_CHUNKS = 1_024;

/** SIP over WebSocket, or with credentials over secure WebSocket, on one address. Connections are opened by clients only (RFC 7118 5.2.2). */
export class WebSocketTransport extends ServerTransport {
  readonly #handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    handleProtocols: () => SUBPROTOCOL,
  });
  /** Sockets on which no WebSocket has been asked for yet. */
  readonly #pending = new WeakSet<object>();

  protected newServer(): Server {
    const server = this.tls === null ? createServer(refuseRequest) : this.#secureServer(this.tls);
    server.on(this.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => this.#limit(socket));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    return server;
  }

  send(bytes: Buffer, target: Target, onError?: SendFailure): void {
    const connection = this.peers.find(target);
    if (connection !== null) return connection.send(bytes, onError);
    this.fail(new Error(`no WebSocket from ${target.address}:${target.port} is open`), onError);
  }

  #secureServer(tls: TlsCredentials): Server {
    const { connectTimeoutMs } = this.options.connections.limits;
    const server = createHttpsServer(tlsServerOptions(tls, connectTimeoutMs), refuseRequest);
    server.on('tlsClientError', () => {
      this.counters.errors += 1;
    });
    tls.onChange(() => server.setSecureContext(tls.options));
    return server;
  }

  /** Gives a new socket its time to ask for a WebSocket. */
  #limit(socket: Socket): void {
    const { clock, limits } = this.options.connections;
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
    const tls = this.tls;
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
    const { point } = this;
    if (address === '' || point === null) {
      // What has arrived already is still read: without a handler, a frame that is none would be an error of the process.
      webSocket.on('error', () => undefined);
      return webSocket.terminate();
    }
    const { clock, limits } = this.options.connections;
    const peer = { address, port: socket.remotePort ?? 0, incoming: true };
    const connection = this.peers.open(point, peer);
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
