import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ServerAddress } from '../../modules/memcached/server-list.ts';

/** What becomes of a piece of a reply on its way to the client. */
export type ReplyFate = (bytes: Buffer, client: Socket) => void;

const FORWARD: ReplyFate = (bytes, client) => {
  client.write(bytes);
};

/** Stands between a client and a server, both real sockets, and does to their talk what a test wants. */
export class FaultRelay {
  readonly port: number;
  /** What becomes of replies. */
  fate: ReplyFate = FORWARD;
  /** Whether anything goes on in either direction; when not, nothing is closed either. */
  isThere = true;
  readonly #target: ServerAddress;
  readonly #sockets = new Set<Socket>();
  #server: Server;

  private constructor(server: Server, port: number, target: ServerAddress) {
    this.#server = server;
    this.port = port;
    this.#target = target;
  }

  /** Relays to a server, from a free port, until the test ends. */
  static async start(t: TestContext, target: ServerAddress): Promise<FaultRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const relay = new FaultRelay(server, bound.port, target);
    server.on('connection', (client) => relay.#join(client));
    t.after(() => relay.close());
    return relay;
  }

  /** Connections are refused from now on, and those that were there end. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** All is well again, also after `close`; connections on which something was wrong have ended. */
  async heal(): Promise<void> {
    this.fate = FORWARD;
    this.isThere = true;
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) return;
    this.#server = createServer((client) => this.#join(client));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #join(client: Socket): void {
    const target = this.#target;
    const server = connect(
      target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port },
    );
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (this.isThere) server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (this.isThere) this.fate(bytes, client);
    });
  }
}
