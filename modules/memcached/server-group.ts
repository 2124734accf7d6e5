import { type AccessRules, OPEN_ACCESS } from './access.ts';
import { CacheClient, type ClientOptions, type ClientServer } from './client.ts';
import { EmbeddedServer } from './embedded/embedded-server.ts';
import { type ServerList, serverName } from './server-list.ts';

export interface ServerGroupOptions extends Omit<ClientOptions, 'servers'> {
  /** Empty: the group of keys that name none. */
  readonly group: string;
  readonly list: Extract<ServerList, { ok: true }>;
  readonly access: AccessRules;
}

/** Servers of one name, among which keys are spread: their client, and perhaps the embedded store, are there from `start` on. */
export class ServerGroup {
  readonly #options: ServerGroupOptions;
  #client: CacheClient | null = null;
  #embedded: EmbeddedServer | null = null;

  constructor(options: ServerGroupOptions) {
    this.#options = options;
  }

  get client(): CacheClient {
    if (this.#client === null) throw new Error('memcached: used before it was started');
    return this.#client;
  }

  get isStarted(): boolean {
    return this.#client !== null;
  }

  /** Starts the embedded store if there is to be one, and makes the client. */
  async prepare(): Promise<void> {
    this.#client = new CacheClient({ ...this.#options, servers: await this.#servers() });
  }

  async stop(): Promise<void> {
    this.#client?.stop();
    await this.#embedded?.stop();
    this.#embedded = null;
  }

  async #servers(): Promise<readonly ClientServer[]> {
    const { list, access } = this.#options;
    if (!list.embedded) {
      return list.servers.map((entry) => ({
        ...entry,
        access: access.accessOf(entry),
        name: this.#nameOf(serverName(entry.address)),
      }));
    }
    this.#embedded = new EmbeddedServer();
    const address = await this.#embedded.start();
    return [{ address, weight: 1, access: OPEN_ACCESS, name: this.#nameOf('embedded') }];
  }

  #nameOf(server: string): string {
    const { group } = this.#options;
    return group === '' ? server : `${group}/${server}`;
  }
}
