import type { Logger } from '../../../core/index.ts';
import { type CacheClient, down, isWord } from '../client.ts';
import type { Reply } from '../command.ts';
import type { CacheServer } from '../server.ts';
import {
  boundLeases,
  emptyLeases,
  GENERATION_CHARS,
  LATEST_END_MS,
  type LeaseSet,
  parseLeases,
  printLeases,
} from './lease-set.ts';

/** Memcached flags of a string. */
const FLAGS = 1;

/** The leases of a limit as they were read. */
export interface StoredLeases {
  readonly set: LeaseSet;
  /** What `cas` compares; null: there was no value. */
  readonly cas: string | null;
  /** When the answer came, Unix ms. */
  readonly nowMs: number;
  /** Whether leases were to last too long: unless that is stored, they begin to end anew with each look. */
  readonly isBounded: boolean;
}

export interface LeaseStoreOptions {
  readonly client: CacheClient;
  /** Unix time, ms: what leases end by, on every proxy. */
  readonly nowMs?: () => number;
  readonly randomToken: (length: number) => string;
  readonly log: Logger;
}

/** The values in which the store keeps the leases of limits, one for each. */
export class LeaseStore {
  readonly #client: CacheClient;
  readonly #nowMs: () => number;
  readonly #randomToken: (length: number) => string;
  readonly #log: Logger;
  /** Whether a clock that is wrong has been logged. */
  #warned = false;

  constructor({ client, nowMs, randomToken, log }: LeaseStoreOptions) {
    this.#client = client;
    this.#nowMs = nowMs ?? Date.now;
    this.#randomToken = randomToken;
    this.#log = log;
  }

  /** Unix time, ms. */
  nowMs(): number {
    return this.#nowMs();
  }

  serverOf(limit: string): CacheServer {
    return this.#client.serverOf(this.#client.wireKey(limit));
  }

  /** The leases of a limit, an empty set when there is no value; or what is wrong. */
  async read(limit: string): Promise<StoredLeases | string> {
    const wire = this.#client.wireKey(limit);
    const server = this.#client.serverOf(wire);
    const read = await server.execute('gets', wire, `gets ${wire}\r\n`, server.deadlineMs());
    const nowMs = this.#nowMs();
    if (isWord(read, 'END')) {
      const set = emptyLeases(this.#randomToken(GENERATION_CHARS), nowMs);
      return { set, cas: null, nowMs, isBounded: false };
    }
    if (read.kind !== 'value') return down(read).reason;
    const set = parseLeases(read.value.bytes);
    if (set === null) return 'the key holds something else';
    // Memcached takes a lifetime above 30 days for a Unix time that has passed, and drops the value at once.
    const { untilMs } = set;
    const isBounded = boundLeases(set, nowMs + LATEST_END_MS);
    if (isBounded) this.#warn(limit, untilMs - nowMs);
    return { set, cas: read.cas, nowMs, isBounded };
  }

  #warn(limit: string, aheadMs: number): void {
    if (this.#warned) return;
    this.#warned = true;
    const days = Math.round(aheadMs / 86_400_000);
    this.#log.warn(
      `memcached: ${limit} has leases that end ${days} days from now, and none lasts longer than a week: the clock of this proxy or of another is wrong. Said once.`,
    );
  }

  /** Stores them, unless another process was faster: any word but STORED. */
  write(limit: string, { set, cas, nowMs }: StoredLeases): Promise<Reply> {
    const wire = this.#client.wireKey(limit);
    const server = this.#client.serverOf(wire);
    const bytes = printLeases(set);
    const lifetimeS = Math.max(1, Math.ceil((set.untilMs - nowMs) / 1000) + 1);
    const head = `${wire} ${FLAGS} ${lifetimeS} ${bytes.length}`;
    return cas === null
      ? server.execute('add', wire, `add ${head}\r\n${bytes}\r\n`, server.deadlineMs())
      : server.execute('cas', wire, `cas ${head} ${cas}\r\n${bytes}\r\n`, server.deadlineMs());
  }
}
