import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { LOOPBACK } from './plain-call.ts';

/** A header value as the `sip` package parses From, To, Contact, Route and Record-Route. */
export interface StackAddress {
  readonly uri: unknown;
  readonly params?: Record<string, string | null>;
}

/** A message of the `sip` package: a request when it has a method. */
export interface StackMessage {
  readonly method?: string;
  readonly uri?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly headers: StackHeaders;
  readonly content?: string;
}

/** Headers by name in lower case. */
interface StackHeaders {
  readonly to: StackAddress;
  readonly from: StackAddress;
  readonly 'call-id': string;
  readonly cseq: { readonly method: string; readonly seq: number };
  readonly via?: unknown;
  readonly contact?: readonly StackAddress[];
  readonly route?: readonly StackAddress[];
  readonly 'record-route'?: readonly StackAddress[];
  readonly [name: string]: unknown;
}

/** An address to send to. */
export interface StackTarget {
  readonly address: string;
  readonly port: number;
}

interface Connection {
  send(message: StackMessage): void;
  release(): void;
}
interface Transaction {
  message?(message: StackMessage, remote: unknown): void;
  send?(message: StackMessage): void;
}
interface TransactionLayer {
  getServer(message: StackMessage): Transaction | undefined;
  getClient(message: StackMessage): Transaction | undefined;
  createServerTransaction(request: StackMessage, connection: Connection): Transaction;
  createClientTransaction(
    connection: Connection,
    request: StackMessage,
    onResponse: (response: StackMessage) => void,
  ): Transaction;
  destroy(): void;
}
interface Transport {
  open(target: StackTarget & { readonly protocol: string }): Connection;
  get(remote: unknown): Connection;
  destroy(): void;
}
/** What is used of the `sip` package, which brings no types. */
interface Stack {
  makeTransport(options: object, onMessage: (message: StackMessage, remote: unknown) => void): Transport;
  makeTransactionLayer(options: object, open: unknown): TransactionLayer;
  makeResponse(request: StackMessage, status: number, reason: string, extension?: object): StackMessage;
  generateBranch(): string;
}

const require = createRequire(import.meta.url);
const stack: Stack = require('sip');

interface EndpointOptions {
  /** Called with every message that is sent or received, retransmissions too. */
  readonly onMessage: (direction: 'sent' | 'received', message: StackMessage) => void;
  /** Called with a request; `reply` sends a response, and is null for an ACK. */
  readonly onRequest: (request: StackMessage, reply: Reply | null) => void;
}
type Reply = (status: number, reason: string, headers?: object) => void;

/**
 * One side of a call, on the transports and transactions of the npm package `sip`: a stack that shares no code with the proxy.
 *
 * Its own `create` is not used: it takes a next hop with its own address, here always 127.0.0.1, for itself and drops the request.
 */
export class CallEndpoint {
  readonly port: number;
  readonly #transport: Transport;
  readonly #transactions: TransactionLayer;

  private constructor(port: number, { onMessage, onRequest }: EndpointOptions) {
    this.port = port;
    const options = {
      address: LOOPBACK,
      port,
      tcp: false,
      logger: {
        send: (message: StackMessage) => onMessage('sent', message),
        recv: (message: StackMessage) => onMessage('received', message),
      },
    };
    this.#transport = stack.makeTransport(options, (message, remote) => {
      const known =
        message.method === undefined
          ? this.#transactions.getClient(message)
          : this.#transactions.getServer(message);
      if (known !== undefined) known.message?.(message, remote);
      else if (message.method === 'ACK') onRequest(message, null);
      else if (message.method !== undefined) onRequest(message, this.#replier(message, remote));
    });
    this.#transactions = stack.makeTransactionLayer(options, this.#transport.open.bind(this.#transport));
  }

  /** Opens an endpoint on a free port. */
  static async open(options: EndpointOptions): Promise<CallEndpoint> {
    return new CallEndpoint(await freePort(), options);
  }

  get uri(): string {
    return `sip:${LOOPBACK}:${this.port}`;
  }

  /** Sends a request in a transaction of its own. */
  request(message: StackMessage, target: StackTarget, onResponse: (response: StackMessage) => void): void {
    const connection = this.#transport.open({ ...target, protocol: 'UDP' });
    this.#transactions.createClientTransaction(connection, withVia(message, {}), onResponse);
  }

  /** Sends the ACK of a 2xx, which has no transaction (RFC 3261 13.2.2.4). */
  ack(message: StackMessage, target: StackTarget): void {
    this.#transport
      .open({ ...target, protocol: 'UDP' })
      .send(withVia(message, { branch: stack.generateBranch() }));
  }

  close(): void {
    this.#transactions.destroy();
    this.#transport.destroy();
  }

  #replier(request: StackMessage, remote: unknown): Reply {
    const transaction = this.#transactions.createServerTransaction(request, this.#transport.get(remote));
    return (status, reason, headers = {}) => {
      // The package leaves Record-Route out of responses (RFC 3261 12.1.1 wants it).
      const copied = { 'record-route': request.headers['record-route'], ...headers };
      transaction.send?.(stack.makeResponse(request, status, reason, { headers: copied }));
    };
  }
}

/** The package fills in the rest of the Via when it sends. */
function withVia(message: StackMessage, params: Readonly<Record<string, string>>): StackMessage {
  return { ...message, headers: { ...message.headers, via: [{ params: { ...params } }] } };
}

/** The package takes port 0 for 5060, so that a free one has to be found for it. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
