import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { errors } from '../errors.ts';
import { messageOf } from '../registry/shown.ts';
import type { MetricsSettings } from './metrics-key.ts';

/** Bounds of the connections of an endpoint. */
interface EndpointBounds {
  /** Connections at one time; for a further one the oldest is closed. */
  readonly maxConnections: number;
  /** How long a request may take to arrive, ms. */
  readonly requestTimeoutMs: number;
  /** How long a connection may be silent, ms: such as that of a reader who does not read. */
  readonly idleTimeoutMs: number;
}

const BOUNDS: EndpointBounds = { maxConnections: 32, requestTimeoutMs: 5_000, idleTimeoutMs: 10_000 };
/** How often connections are looked at for these times, ms. */
const CHECK_INTERVAL_MS = 500;
/** Largest head of a request, bytes. */
const MAX_HEAD_BYTES = 8_192;

const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** What the endpoint shows. */
export interface Shown {
  readonly contentType: string;
  /** The figures. */
  text(): Promise<string>;
  /** Whether the proxy takes calls. */
  isReady(): boolean;
}

/** An HTTP server with two pages: `/metrics` for Prometheus, and `/health`, which is 200 while the proxy takes calls and 503 otherwise. */
export class MetricsEndpoint {
  readonly #settings: MetricsSettings;
  readonly #shown: Shown;
  readonly #server: Server;
  /** The connections, the oldest first. */
  readonly #connections = new Set<Socket>();

  constructor(
    settings: MetricsSettings,
    shown: Shown,
    { maxConnections, requestTimeoutMs, idleTimeoutMs }: EndpointBounds = BOUNDS,
  ) {
    this.#settings = settings;
    this.#shown = shown;
    this.#server = createServer(
      {
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
        headersTimeout: requestTimeoutMs,
        maxHeaderSize: MAX_HEAD_BYTES,
        requestTimeout: requestTimeoutMs,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('connection', (socket) => this.#admit(socket, maxConnections));
    // One scrape, one connection: none has to be kept an eye on.
    this.#server.maxRequestsPerSocket = 1;
    this.#server.timeout = idleTimeoutMs;
  }

  /** Binds, and resolves to the address of the figures. @throws ERR_METRICS_LISTEN with the place of the key `metrics`. */
  async start(): Promise<string> {
    const { host, port, place } = this.#settings;
    try {
      this.#server.listen({ host, port, exclusive: true });
      await once(this.#server, 'listening');
    } catch (cause) {
      const failure = errors.ERR_METRICS_LISTEN.at(place, hostPort(host, port), messageOf(cause));
      failure.cause = cause;
      throw failure;
    }
    const address = this.#server.address();
    const bound = address === null || typeof address === 'string' ? port : address.port;
    return `http://${hostPort(host, bound)}/metrics`;
  }

  /** Ends the server and its connections. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Connections that ask for nothing must not keep out those that do: who has asked is answered, and gone, long before it is the oldest. */
  #admit(socket: Socket, maxConnections: number): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    if (this.#connections.size <= maxConnections) return;
    const [oldest] = this.#connections;
    oldest?.destroy();
  }

  async #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = url.split('?', 1);
    if (path !== '/metrics' && path !== '/health') return reply(response, 404, 'see /metrics and /health\n');
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return reply(response, 405, 'only GET and HEAD\n');
    }
    if (path === '/health') {
      const ready = this.#shown.isReady();
      return reply(response, ready ? 200 : 503, ready ? 'ready\n' : 'not ready\n');
    }
    try {
      reply(response, 200, await this.#shown.text(), this.#shown.contentType);
    } catch (error) {
      reply(response, 500, `${messageOf(error)}\n`);
    }
  }
}

function reply(response: ServerResponse, status: number, text: string, contentType = PLAIN_TEXT): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function hostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
