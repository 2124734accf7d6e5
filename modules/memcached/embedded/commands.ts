import { type Item, isTooLarge, type ItemStore } from './item-store.ts';
import { countIn, flagsArgument, lengthArgument, lifetimeArgument, unsigned64 } from './numbers.ts';

/** Longest key (memcached, KEY_MAX_LENGTH). */
const MAX_KEY_BYTES = 250;

/** What this server calls itself; the protocol is that of memcached 1.6.18. */
const VERSION = '1.6.18-embedded';

const ERROR = 'ERROR\r\n';
const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const BAD_EXPTIME = 'CLIENT_ERROR invalid exptime argument\r\n';
const BAD_DELETE = 'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n';
const BAD_DELTA = 'CLIENT_ERROR invalid numeric delta argument\r\n';
const NOT_A_NUMBER = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
const TOO_LARGE = 'SERVER_ERROR object too large for cache\r\n';
const NOT_FOUND = 'NOT_FOUND\r\n';

/** How many tokens a command may have, its name included. */
const TOKENS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  get: [2, Number.POSITIVE_INFINITY],
  gets: [2, Number.POSITIVE_INFINITY],
  gat: [2, Number.POSITIVE_INFINITY],
  gats: [2, Number.POSITIVE_INFINITY],
  set: [5, 6],
  add: [5, 6],
  replace: [5, 6],
  append: [5, 6],
  prepend: [5, 6],
  cas: [6, 7],
  incr: [3, 4],
  decr: [3, 4],
  touch: [3, 4],
  delete: [2, 4],
  flush_all: [1, 3],
  version: [1, Number.POSITIVE_INFINITY],
  verbosity: [2, 3],
  stats: [1, Number.POSITIVE_INFINITY],
  quit: [1, Number.POSITIVE_INFINITY],
};

/** Commands to which `noreply` is a word like any other. */
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(['get', 'gets', 'gat', 'gats', 'version', 'stats']);

/** A command that a block of data follows. */
export interface StoreCommand {
  readonly name: string;
  readonly key: string;
  readonly flags: number;
  readonly lifetimeS: number;
  /** Length of the data, without its `\r\n`. */
  readonly length: number;
  readonly cas: bigint | null;
  readonly noreply: boolean;
}

/** What a line asks for: text to answer with, a block of data first, to swallow one, or to hang up. */
export type LineResult =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'data'; readonly command: StoreCommand }
  | { readonly kind: 'swallow'; readonly length: number; readonly text: string }
  | { readonly kind: 'quit' };

/** Counters for `stats`. */
export interface CommandCounters {
  get: number;
  set: number;
  hits: number;
  misses: number;
}

/** Carries out memcached's text commands on a store; answers as memcached 1.6.18 does, errors included. */
export class Commands {
  readonly #store: ItemStore;
  readonly #startedMs = Date.now();
  #counters: CommandCounters = { get: 0, set: 0, hits: 0, misses: 0 };

  constructor(store: ItemStore) {
    this.#store = store;
  }

  /** Takes one line without its end. To memcached it is a C string: what follows a NUL is not there. */
  line(line: string): LineResult {
    const nul = line.indexOf('\0');
    const tokens = (nul === -1 ? line : line.slice(0, nul)).split(' ').filter((token) => token !== '');
    const name = tokens[0] ?? '';
    const bounds = Object.hasOwn(TOKENS, name) ? TOKENS[name] : undefined;
    if (bounds === undefined || tokens.length < bounds[0] || tokens.length > bounds[1]) return answer(ERROR);
    if (name === 'quit') return { kind: 'quit' };
    const noreply = wantsNoReply(name, tokens);
    if (bounds[0] >= 5) return this.#storeLine(tokens, noreply);
    const text = this.#simple(name, tokens);
    return answer(noreply ? '' : text);
  }

  /** Carries out a command whose data has come. */
  store(command: StoreCommand, bytes: string): string {
    this.#counters.set++;
    const { key, flags, lifetimeS } = command;
    const old = this.#store.get(key);
    const text = (() => {
      switch (command.name) {
        case 'add':
          if (old !== undefined) return 'NOT_STORED\r\n';
          break;
        case 'replace':
          if (old === undefined) return 'NOT_STORED\r\n';
          break;
        case 'append':
          return this.#extend(key, old, (present) => present + bytes);
        case 'prepend':
          return this.#extend(key, old, (present) => bytes + present);
        case 'cas':
          if (old === undefined) return NOT_FOUND;
          if (old.cas !== command.cas) return 'EXISTS\r\n';
          break;
      }
      this.#store.set(key, flags, lifetimeS, bytes);
      return 'STORED\r\n';
    })();
    return command.noreply ? '' : text;
  }

  #simple(name: string, tokens: readonly string[]): string {
    switch (name) {
      case 'get':
      case 'gets':
        return this.#get(tokens.slice(1), name === 'gets', null);
      case 'gat':
      case 'gats': {
        const lifetimeS = lifetimeArgument(tokens[1] ?? '');
        return lifetimeS === null ? BAD_EXPTIME : this.#get(tokens.slice(2), name === 'gats', lifetimeS);
      }
      case 'incr':
      case 'decr':
        return this.#count(name, tokens[1] ?? '', tokens[2] ?? '');
      case 'touch':
        return this.#touch(tokens[1] ?? '', tokens[2] ?? '');
      case 'delete':
        return this.#delete(tokens);
      case 'flush_all':
        return this.#flush(tokens);
      case 'verbosity':
        return unsigned64(tokens[1] ?? '') === null ? BAD_FORMAT : 'OK\r\n';
      case 'stats':
        return this.#stats(tokens);
      default:
        return `VERSION ${VERSION}\r\n`;
    }
  }

  #storeLine(tokens: readonly string[], noreply: boolean): LineResult {
    const [name = '', key = '', flagsToken = '', lifetimeToken = '', lengthToken = '', casToken = ''] =
      tokens;
    const bad = answer(noreply ? '' : BAD_FORMAT);
    if (key.length > MAX_KEY_BYTES) return bad;
    const flags = flagsArgument(flagsToken);
    const lifetimeS = lifetimeArgument(lifetimeToken);
    const length = lengthArgument(lengthToken);
    const cas = name === 'cas' ? unsigned64(casToken) : null;
    if (flags === null || lifetimeS === null || length === null || (name === 'cas' && cas === null))
      return bad;
    if (isTooLarge(key, flags, length)) {
      // Memcached drops the old value rather than leave one that is out of date.
      if (name === 'set') this.#store.delete(key);
      return { kind: 'swallow', length: length + 2, text: noreply ? '' : TOO_LARGE };
    }
    return { kind: 'data', command: { name, key, flags, lifetimeS, length, cas, noreply } };
  }

  #get(keys: readonly string[], withCas: boolean, lifetimeS: number | null): string {
    if (keys.some((key) => key.length > MAX_KEY_BYTES)) return BAD_FORMAT;
    let text = '';
    for (const key of keys) {
      this.#counters.get++;
      const item = this.#store.get(key);
      if (item === undefined) {
        this.#counters.misses++;
        continue;
      }
      this.#counters.hits++;
      if (lifetimeS !== null) item.expiresAtMs = this.#store.expiryOf(lifetimeS);
      const cas = withCas ? ` ${item.cas}` : '';
      text += `VALUE ${key} ${item.flags} ${item.bytes.length}${cas}\r\n${item.bytes}\r\n`;
    }
    return `${text}END\r\n`;
  }

  #extend(key: string, old: Item | undefined, join: (present: string) => string): string {
    if (old === undefined) return 'NOT_STORED\r\n';
    const bytes = join(old.bytes);
    if (isTooLarge(key, old.flags, bytes.length)) return 'NOT_STORED\r\n';
    this.#store.change(key, old, bytes);
    return 'STORED\r\n';
  }

  #count(name: 'incr' | 'decr', key: string, token: string): string {
    if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
    const delta = unsigned64(token);
    if (delta === null) return BAD_DELTA;
    const item = this.#store.get(key);
    if (item === undefined) return NOT_FOUND;
    const old = countIn(item.bytes);
    if (old === null) return NOT_A_NUMBER;
    const value = name === 'incr' ? BigInt.asUintN(64, old + delta) : old > delta ? old - delta : 0n;
    const digits = value.toString();
    // A shorter number keeps the item's length: the server pads it with spaces.
    this.#store.change(key, item, digits.padEnd(item.bytes.length, ' '));
    return `${digits}\r\n`;
  }

  #touch(key: string, token: string): string {
    if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
    const lifetimeS = lifetimeArgument(token);
    if (lifetimeS === null) return BAD_EXPTIME;
    const item = this.#store.get(key);
    if (item === undefined) return NOT_FOUND;
    item.expiresAtMs = this.#store.expiryOf(lifetimeS);
    return 'TOUCHED\r\n';
  }

  /** A second argument may be 0, which old clients send. */
  #delete(tokens: readonly string[]): string {
    const [, key = '', second] = tokens;
    const proper = tokens.length === 2 || (tokens.length === 3 && (second === '0' || second === 'noreply'));
    if (!proper && !(tokens.length === 4 && second === '0' && tokens[3] === 'noreply')) return BAD_DELETE;
    if (key.length > MAX_KEY_BYTES) return BAD_FORMAT;
    return this.#store.delete(key) ? 'DELETED\r\n' : NOT_FOUND;
  }

  #flush(tokens: readonly string[]): string {
    const [, delay] = tokens;
    const isNow = delay === undefined || (delay === 'noreply' && tokens.length === 2);
    const delayS = isNow ? 0 : lifetimeArgument(delay);
    if (delayS === null) return BAD_EXPTIME;
    this.#store.flush(delayS);
    return 'OK\r\n';
  }

  #stats(tokens: readonly string[]): string {
    if (tokens.length > 1) {
      if (tokens[1] !== 'reset') return ERROR;
      this.#counters = { get: 0, set: 0, hits: 0, misses: 0 };
      return 'RESET\r\n';
    }
    const nowMs = Date.now();
    const { get, set, hits, misses } = this.#counters;
    const rows: readonly (readonly [string, string | number])[] = [
      ['pid', process.pid],
      ['uptime', Math.floor((nowMs - this.#startedMs) / 1000)],
      ['time', Math.floor(nowMs / 1000)],
      ['version', VERSION],
      ['cmd_get', get],
      ['cmd_set', set],
      ['get_hits', hits],
      ['get_misses', misses],
      ['limit_maxbytes', this.#store.limit],
      ['bytes', this.#store.bytes],
      ['curr_items', this.#store.size],
      ['evictions', this.#store.evictions],
    ];
    return `${rows.map(([name, value]) => `STAT ${name} ${value}\r\n`).join('')}END\r\n`;
  }
}

/** Whether a command ends with `noreply`; as the key of a `delete` it is a key. */
function wantsNoReply(name: string, tokens: readonly string[]): boolean {
  if (tokens.at(-1) !== 'noreply' || ALWAYS_ANSWERED.has(name)) return false;
  return name !== 'delete' || tokens.length > 2;
}

function answer(text: string): LineResult {
  return { kind: 'answer', text };
}
