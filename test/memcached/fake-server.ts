import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ServerAddress } from '../../modules/memcached/server-list.ts';

/** How long a test waits for the client, ms: generous, for slow machines. */
export const PATIENCE_MS = 20_000;

/** A server whose every byte a test writes. */
export class FakeServer {
  readonly address: ServerAddress;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #chunks: string[] = [];
  #wake: () => void = () => {};
  #taken = 0;
  #closed = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = { kind: 'tcp', host: '127.0.0.1', port };
    server.on('connection', (socket) => {
      this.#sockets.push(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#closed += 1;
        this.#wake();
      });
      socket.on('data', (chunk: Buffer) => {
        this.#chunks.push(chunk.toString('latin1'));
        this.#wake();
      });
      this.#wake();
    });
  }

  /** Listens on a free port until the test ends. */
  static async start(test: TestContext): Promise<FakeServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const fake = new FakeServer(server, bound.port);
    test.after(() => fake.stop());
    return fake;
  }

  /** How many connections have been made. */
  get connections(): number {
    return this.#sockets.length;
  }

  /** What has been read, one string a read. */
  get chunks(): readonly string[] {
    return this.#chunks;
  }

  /** Waits until so many connections have ended on both sides. */
  async ended(count: number): Promise<void> {
    while (this.#closed < count) await this.#something();
  }

  /** Waits for text that comes after what earlier calls waited for. */
  async received(text: string): Promise<void> {
    for (;;) {
      const at = this.#chunks.join('').indexOf(text, this.#taken);
      if (at !== -1) {
        this.#taken = at + text.length;
        return;
      }
      await this.#something();
    }
  }

  #something(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing came within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      late.unref();
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  /** Writes to the newest connection. */
  write(bytes: string): void {
    this.#newest.write(bytes, 'latin1');
  }

  /** Writes, then closes the connection. */
  close(bytes = ''): void {
    this.#newest.end(bytes, 'latin1');
  }

  /** Closes the connection with RST. */
  reset(): void {
    this.#newest.resetAndDestroy();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  get #newest(): Socket {
    const socket = this.#sockets.at(-1);
    if (socket === undefined) throw new Error('no connection yet');
    return socket;
  }
}
