import {
  type Avps,
  type Call,
  type CoreServices,
  errors,
  type Logger,
  type ParamValues,
  type Scope,
} from '../../core/index.ts';
import { CacheClient, type ClientOptions } from './client.ts';
import { EmbeddedServer } from './embedded/embedded-server.ts';
import {
  type KeyArgument,
  keyReference,
  type KeyOptions,
  type KeyPart,
  type KeyReference,
} from './key-reference.ts';
import { checkedLifetime } from './lifetime.ts';
import { Limits } from './limits/limits.ts';
import type { params } from './params.ts';
import { type Bounds, Budget } from './patience.ts';
import { parseServers, type ServerList } from './server-list.ts';

/** What may follow a key: `{ expire }`, or the values of a template. */
export type KeyRest = readonly (KeyPart | KeyOptions | undefined)[];

/** Looks like a lifetime that the author meant as one. */
const LIFETIME = /=> *\d+ *$/;

/** The module's state: what its parameters say, and from `start` on the client and perhaps the embedded store. */
export class MemcachedState {
  readonly #core: CoreServices;
  readonly #log: Logger;
  readonly #servers: Extract<ServerList, { ok: true }>;
  readonly #options: Omit<ClientOptions, 'servers'>;
  readonly #budgetMs: number;
  /** What each transaction may still wait: its AVPs live as long as it does. */
  readonly #budgets = new WeakMap<Avps, Budget>();
  #client: CacheClient | null = null;
  #limits: Limits | null = null;
  #embedded: EmbeddedServer | null = null;
  #warned = false;

  /** @throws ERR_MEMCACHED_SERVERS, ERR_MEMCACHED_EXPIRE. */
  constructor(values: ParamValues<typeof params>, core: CoreServices, log: Logger) {
    const servers = parseServers(values.servers);
    if (!servers.ok) throw errors.ERR_MEMCACHED_SERVERS(values.servers, servers.reason);
    this.#core = core;
    this.#log = log;
    this.#servers = servers;
    this.#budgetMs = values.budget;
    this.#options = {
      expire: checkedLifetime(values.expire, 'memcached.expire'),
      mode: values.mode,
      timeoutMs: values.timeout,
      journal: values.journal,
      stringify: values.stringify === 1,
      clock: core.clock,
      log,
    };
  }

  /** The client, there from `start` on. */
  get client(): CacheClient {
    if (this.#client === null) throw new Error('memcached: used before it was started');
    return this.#client;
  }

  /** What limits calls, there from `start` on. */
  get limits(): Limits {
    if (this.#limits === null) throw new Error('memcached: used before it was started');
    return this.#limits;
  }

  /** How long an operation of this handler run may wait. */
  bounds({ avps }: Scope, { signal }: Pick<Bounds, 'signal'> = {}): Bounds {
    if (this.#budgetMs === 0) return { signal };
    let budget = this.#budgets.get(avps);
    if (budget === undefined) {
      budget = new Budget(this.#core.clock, this.#budgetMs);
      this.#budgets.set(avps, budget);
    }
    return { signal, budget };
  }

  /** Starts the embedded store if there is to be one, and connects. Servers that are down do not fail it. */
  async start(): Promise<void> {
    let { servers } = this.#servers;
    if (this.#servers.embedded) {
      this.#embedded = new EmbeddedServer();
      servers = [{ address: await this.#embedded.start(), weight: 1 }];
    }
    this.#client = new CacheClient({ ...this.#options, servers });
    this.#limits = new Limits({
      client: this.#client,
      clock: this.#core.clock,
      randomToken: (length) => this.#core.randomToken(length),
    });
    await this.#client.start();
  }

  async stop(): Promise<void> {
    this.#limits?.stop();
    this.#client?.stop();
    await this.#embedded?.stop();
    this.#embedded = null;
  }

  /** What the arguments of `$mct` and its like refer to. */
  reference(
    call: Call<MemcachedState>,
    key: KeyArgument,
    rest: KeyRest,
  ): KeyReference | Promise<KeyReference> {
    if (!this.#warned && rest.length === 0 && typeof key === 'string' && LIFETIME.test(key)) {
      this.#warned = true;
      this.#log.warn(
        `a key ends like a lifetime, which is taken as part of it: ${JSON.stringify(key.slice(-60))}; write pv.$mct(key, { expire }), or pv.$mct\`...\` without parentheses. Said once; nothing is wrong if the text came from a message.`,
      );
    }
    return keyReference(this.#core.formats, call.scope, key, rest);
  }
}
