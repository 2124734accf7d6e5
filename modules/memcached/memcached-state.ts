import {
  type Avps,
  type Call,
  type CoreServices,
  type Logger,
  type ParamValues,
  type Scope,
  Slot,
} from '../../core/index.ts';
import { AccessRules } from './access.ts';
import type { CacheClient } from './client.ts';
import { declareFigures } from './figures.ts';
import { groupLists, groupOf } from './groups.ts';
import {
  type KeyArgument,
  keyReference,
  type KeyOptions,
  type KeyPart,
  type KeyReference,
} from './key-reference.ts';
import { KeyStore } from './key-store.ts';
import { checkedLifetime } from './lifetime.ts';
import { Limits } from './limits/limits.ts';
import type { params } from './params.ts';
import { type Bounds, Budget } from './patience.ts';
import { SlowLog } from './slow-log.ts';
import { ServerGroup } from './server-group.ts';
import type { ServerStatistics } from './statistics.ts';

/** What may follow a key: `{ expire }`, or the values of a template. */
export type KeyRest = readonly (KeyPart | KeyOptions | undefined)[];

/** Looks like a lifetime that the author meant as one. */
const LIFETIME = /=> *\d+ *$/;

/** What each transaction may still wait: its AVPs live as long as it does. */
const budgets = new Slot<Avps, Budget>();

/** The module's state: what its parameters say, and from `start` on the client and perhaps the embedded store. */
export class MemcachedState {
  readonly #core: CoreServices;
  readonly #log: Logger;
  /** By name; that of keys which name none is `''`. */
  readonly #groups: ReadonlyMap<string, ServerGroup>;
  readonly #default: ServerGroup;
  readonly #ofLimits: ServerGroup;
  readonly #budgetMs: number;
  #limits: Limits | null = null;
  #warned = false;
  /** Operations for which the budget of their transaction was not enough. */
  #exhausted = 0;
  readonly #countExhausted = (): void => {
    this.#exhausted += 1;
  };

  /** @throws ERR_MEMCACHED_SERVERS, ERR_MEMCACHED_GROUP, ERR_MEMCACHED_ACCESS, ERR_MEMCACHED_EXPIRE. */
  constructor(values: ParamValues<typeof params>, core: CoreServices, log: Logger) {
    const lists = groupLists(values.servers, values.groups);
    const all = [...lists.values()].flatMap(({ servers }) => servers);
    this.#core = core;
    this.#log = log;
    this.#budgetMs = values.budget;
    const options = {
      access: new AccessRules(values, all, log),
      prefix: values.prefix,
      expire: checkedLifetime(values.expire, 'memcached.expire'),
      mode: values.mode,
      timeoutMs: values.timeout,
      journal: values.journal,
      stringify: values.stringify === 1,
      clock: core.clock,
      log,
      slowLog: values.slow_log === 0 ? undefined : new SlowLog(values.slow_log, core.clock, log),
    };
    this.#groups = new Map(
      [...lists].map(([group, list]) => [group, new ServerGroup({ ...options, group, list })]),
    );
    this.#default = groupOf(this.#groups, '');
    this.#ofLimits = groupOf(this.#groups, values.limits_group);
    declareFigures(core.metrics, {
      servers: () => this.#clients().flatMap(({ servers }) => servers),
      limits: () => this.#limits,
      exhausted: () => this.#exhausted,
    });
  }

  /** The client of the keys that name no group, there from `start` on. */
  get client(): CacheClient {
    return this.#default.client;
  }

  /**
   * The client of a group, there from `start` on.
   *
   * @throws ERR_MEMCACHED_GROUP
   */
  clientOf(group: string | undefined): CacheClient {
    return group === undefined ? this.#default.client : groupOf(this.#groups, group).client;
  }

  /** What a handler does with the keys of a group; left out: of those that name none. @throws ERR_MEMCACHED_GROUP */
  store(scope: Scope, group?: string): KeyStore {
    return new KeyStore(this.clientOf(group), (options) => this.bounds(scope, options));
  }

  /** Counters by server name, of all groups. */
  statistics(): Readonly<Record<string, ServerStatistics>> {
    return Object.assign({}, ...this.#clients().map((client) => client.statistics()));
  }

  #clients(): readonly CacheClient[] {
    return [...this.#groups.values()].flatMap((group) => (group.isStarted ? group.client : []));
  }

  /** What limits calls, there from `start` on. */
  get limits(): Limits {
    if (this.#limits === null) throw new Error('memcached: used before it was started');
    return this.#limits;
  }

  /** How long an operation of this handler run may wait. */
  bounds({ avps }: Scope, { signal }: Pick<Bounds, 'signal'> = {}): Bounds {
    if (this.#budgetMs === 0) return { signal };
    let budget = budgets.get(avps);
    if (budget === undefined) {
      budget = new Budget(this.#core.clock, this.#budgetMs, this.#countExhausted);
      budgets.set(avps, budget);
    }
    return { signal, budget };
  }

  /** Starts the embedded stores if there are to be some, and connects. Servers that are down do not fail it. */
  async start(): Promise<void> {
    const groups = [...this.#groups.values()];
    await Promise.all(groups.map((group) => group.prepare()));
    this.#limits = new Limits({
      client: this.#ofLimits.client,
      clock: this.#core.clock,
      randomToken: (length) => this.#core.randomToken(length),
      log: this.#log,
    });
    await Promise.all(groups.map(({ client }) => client.start()));
  }

  async stop(): Promise<void> {
    this.#limits?.stop();
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
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
