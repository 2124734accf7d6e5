import { randomFillSync } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../clock.ts';
import { errors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Figures } from '../registry/figures.ts';
import type { CoreServices, FlowTokens, TransactionLayer, TransportService } from '../registry/services.ts';
import type { Formats } from '../routing/formats.ts';
import type { Handlers } from '../routing/handlers.ts';
import type { ListenPoint, Protocol } from '../sip/hop.ts';
import type { SipRequest } from '../sip/message.ts';
import {
  DEFAULT_DNS,
  DnsClient,
  type DnsQueries,
  type DnsSettings,
  lookupIn,
} from '../transport/dns-client.ts';
import { askSystem, type Lookup, Resolver } from '../transport/resolver.ts';
import type { LookupCounters } from '../transport/shared-lookups.ts';
import { Forwarding } from './forwarding.ts';
import { type Alias, Myself } from './myself.ts';
import { NextHop } from './next-hop.ts';
import { OwnRoutes } from './own-routes.ts';
import { attemptHash, StatelessTags } from './stateless-tag.ts';

/** Chars of a token: as many as divide a byte evenly, so that each is as likely as any other. */
const TOKEN_CHARS = '0123456789abcdefghijklmnopqrstuv';
/** Random bytes fetched at a time. */
const RANDOM_POOL_BYTES = 4_096;
/** Length of the mark of stateless To tags, chars of 5 bits: 80 bits. */
const MARK_LENGTH = 16;

interface ServicesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly transport: TransportService;
  readonly handlers: Handlers;
  readonly formats: Formats;
  readonly alias: readonly Alias[];
  readonly dns?: DnsSettings | undefined;
  readonly lookup?: Lookup | undefined;
  readonly records?: DnsQueries | undefined;
}

/** What modules get as `core`. What depends on the bound sockets is there once the proxy listens. */
export class Services implements CoreServices {
  readonly clock: Clock;
  readonly transport: TransportService;
  readonly handlers: Handlers;
  readonly formats: Formats;
  readonly metrics = new Figures();
  readonly ownRoutes: OwnRoutes;
  readonly extensions = new Set<string>();
  flowTokens: FlowTokens | null = null;
  transactions: TransactionLayer | null = null;
  readonly #log: Logger;
  readonly #alias: readonly Alias[];
  readonly #resolver: Resolver;
  readonly #dns: DnsQueries | null;
  readonly #pool = Buffer.alloc(RANDOM_POOL_BYTES);
  #poolAt = RANDOM_POOL_BYTES;
  /** New at each start: tags of an earlier one are foreign. */
  readonly #tags = new StatelessTags(this.randomToken(MARK_LENGTH));
  #myself: Myself;
  #forwarding: Forwarding;

  constructor({
    clock,
    log,
    transport,
    handlers,
    formats,
    alias,
    dns = DEFAULT_DNS,
    lookup,
    records,
  }: ServicesOptions) {
    this.clock = clock;
    this.transport = transport;
    this.ownRoutes = new OwnRoutes(transport);
    this.handlers = handlers;
    this.formats = formats;
    this.#log = log;
    this.#alias = alias;
    const client = new DnsClient(dns);
    const addresses = dns.servers.length > 0 ? lookupIn(client) : askSystem;
    this.#resolver = new Resolver({ clock, lookup: lookup ?? addresses });
    // Who brings addresses of its own asks no one else for servers.
    this.#dns = records ?? (lookup === undefined && dns.srv ? client : null);
    this.#myself = new Myself([], alias);
    this.#forwarding = this.#newForwarding([]);
  }

  /** How look-ups of host names ended. */
  get lookups(): Readonly<LookupCounters> {
    return this.#resolver.counters;
  }

  get myself(): Myself {
    return this.#myself;
  }

  get forwarding(): Forwarding {
    return this.#forwarding;
  }

  /** The sockets are bound: addresses are known from here on. */
  listening(points: readonly ListenPoint[]): void {
    this.#myself = new Myself(points, this.#alias, machineAddresses());
    this.#forwarding = this.#newForwarding(points);
  }

  setTransactionLayer(layer: TransactionLayer): void {
    if (this.transactions !== null) throw errors.ERR_TRANSACTION_LAYER();
    this.transactions = layer;
  }

  setFlowTokens(tokens: FlowTokens): void {
    this.flowTokens = tokens;
  }

  randomToken(length: number): string {
    let token = '';
    for (let i = 0; i < length; i += 1) {
      if (this.#poolAt === this.#pool.length) {
        randomFillSync(this.#pool);
        this.#poolAt = 0;
      }
      token += TOKEN_CHARS[(this.#pool[this.#poolAt] ?? 0) % TOKEN_CHARS.length];
      this.#poolAt += 1;
    }
    return token;
  }

  statelessTag(request: SipRequest): string {
    return this.statelessTagOf(attemptHash(request));
  }

  /** The same by the `attemptHash` of the request. */
  statelessTagOf(hash: number): string {
    return this.#tags.of(hash);
  }

  /** Whether a message is the ACK of a reply that was sent with `statelessTag`. */
  isStatelessAck(message: Buffer): boolean {
    return this.#tags.isAck(message);
  }

  #newForwarding(points: readonly ListenPoint[]): Forwarding {
    const families = new Map<Protocol, 0 | 4 | 6>();
    for (const { protocol, family } of points) {
      const known = families.get(protocol);
      families.set(protocol, known === undefined || known === family ? family : 0);
    }
    const resolver = this.#resolver;
    const nextHop = new NextHop({
      myself: this.#myself,
      resolver,
      dns: this.#dns,
      families,
      ownRoutes: this.ownRoutes,
    });
    return new Forwarding({
      transport: this.transport,
      nextHop,
      resolver,
      log: this.#log,
      tagOf: (request) => this.statelessTag(request),
    });
  }
}

/** Addresses of this machine's interfaces, as they are now. */
function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
}
