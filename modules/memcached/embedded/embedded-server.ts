import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAddress } from '../server-list.ts';
import { Commands } from './commands.ts';
import { ItemStore } from './item-store.ts';
import { Session } from './session.ts';

/** Clients at a time; the module needs one. */
export const MAX_CLIENTS = 64;

/** Longest path that a Unix socket can have on every system, bytes (macOS: 104 with its NUL). */
const MAX_SOCKET_PATH_BYTES = 103;

/** A store in this process that speaks memcached's text protocol on a local socket: nothing to install. What it holds ends with it. */
export class EmbeddedServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #folder: string | null = null;

  constructor(store: ItemStore = new ItemStore()) {
    const commands = new Commands(store);
    this.#server = createServer((socket) => this.#serve(commands, socket));
    this.#server.maxConnections = MAX_CLIENTS;
  }

  /** Listens in a new folder that only this user can enter, or on a loopback port where that is not to be had; resolves to the address. */
  async start(): Promise<ServerAddress> {
    const path = await this.#socketPath();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      if (path === null) this.#server.listen(0, '127.0.0.1', resolve);
      else this.#server.listen(path, resolve);
    });
    if (path !== null) return { kind: 'unix', path };
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port was bound');
    return { kind: 'tcp', host: bound.address, port: bound.port };
  }

  /** Hangs up on all clients, and removes the folder. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async #socketPath(): Promise<string | null> {
    if (process.platform === 'win32') return null;
    const prefix = join(tmpdir(), 'kamaiki-');
    if (Buffer.byteLength(prefix) + 'XXXXXX/memcached'.length > MAX_SOCKET_PATH_BYTES) return null;
    this.#folder = await mkdtemp(prefix);
    return join(this.#folder, 'memcached');
  }

  #serve(commands: Commands, socket: Socket): void {
    this.#sockets.add(socket);
    const session = new Session(commands, {
      write: (bytes) => {
        // A client that does not read its answers is not read from either.
        if (!socket.write(bytes, 'latin1')) socket.pause();
      },
      end: () => socket.end(),
    });
    socket.on('drain', () => socket.resume());
    socket.on('data', (chunk) => session.receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
