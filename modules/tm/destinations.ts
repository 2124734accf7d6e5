import {
  encodeText,
  errors,
  type ListenPoint,
  parseNameAddrs,
  parseUri,
  printUri,
  type SipRequest,
  uriEquals,
} from '../../core/index.ts';

/** Branches of one request in all, whether sent to in parallel or one after the other (Kamailio: MAX_BRANCHES). */
export const MAX_BRANCHES = 12;

/** Where a branch goes. */
export interface Destination {
  /** Its Request-URI, a byte string. */
  readonly uri: string;
  /** Its next hop ($du), a byte string; null: as its Route and Request-URI say. */
  readonly nextHop: string | null;
  /** Its preference, 0 to 1; null: none given, which comes last. */
  readonly q: number | null;
  /** The Routes that it takes, as a header value (RFC 3327); null: none besides the request's own. */
  readonly path: string | null;
  /** Where it leaves by, if it can; null: as for any request. */
  readonly sendSocket: ListenPoint | null;
}

/** A destination as routes give it: what is left out is taken from the request in hand. */
export interface DestinationOptions {
  readonly uri?: string;
  readonly nextHop?: string | null;
  readonly q?: number;
  readonly path?: string | null;
}

/**
 * Reads a destination given by a route.
 * @throws ERR_URI_SYNTAX, ERR_TM_VALUE.
 */
export function destinationOf(
  request: SipRequest,
  { uri, nextHop, q, path }: DestinationOptions,
): Destination {
  return {
    uri: uri === undefined ? request.uri : requestUri(checkedUri('append_branch', uri)),
    nextHop: hopOf(request, nextHop),
    q: q === undefined ? null : checkedQ('append_branch', q),
    path: path === undefined || path === null ? null : checkedPath('append_branch', path),
    sendSocket: null,
  };
}

/** @throws ERR_TM_VALUE, with the name of the function or variable. */
export function checkedQ(caller: string, q: number): number {
  if (!(q >= 0 && q <= 1)) throw errors.ERR_TM_VALUE(caller, 'a q from 0 to 1', q);
  return q;
}

/** The byte string of a list of Routes, such as a Path header has. @throws ERR_TM_VALUE. */
export function checkedPath(caller: string, text: string): string {
  const bytes = encodeText(text);
  const routes = parseNameAddrs(bytes);
  if (!routes.ok || /[\r\n]/.test(bytes) || !routes.value.every(({ uri }) => uri.ok))
    throw errors.ERR_TM_VALUE(caller, 'a path of URIs in angle brackets', JSON.stringify(text));
  return bytes;
}

/** A URI without what may not stand in a Request-URI: headers and `method` (RFC 3261 16.6 step 2, 19.1.1). */
export function requestUri(bytes: string): string {
  const parsed = parseUri(bytes);
  if (!parsed.ok) return bytes;
  const { params, headers } = parsed.value;
  const others = params.filter(({ name }) => name.toLowerCase() !== 'method');
  if (headers === null && others.length === params.length) return bytes;
  return printUri({ ...parsed.value, params: others, headers: null });
}

function hopOf(request: SipRequest, nextHop: string | null | undefined): string | null {
  if (nextHop === undefined) return request.nextHop;
  return nextHop === null ? null : checkedUri('append_branch', nextHop);
}

/** The byte string of a URI given by a route. @throws ERR_URI_SYNTAX, with the name of the function. */
export function checkedUri(caller: string, text: string): string {
  const bytes = encodeText(text);
  const uri = parseUri(bytes);
  if (!uri.ok) throw errors.ERR_URI_SYNTAX(caller, JSON.stringify(text), uri.reason);
  return bytes;
}

/** Whether two destinations are one: a target set holds each only once (RFC 3261 16.5). */
function isSame(a: Destination, b: Destination): boolean {
  return a.nextHop === b.nextHop && a.path === b.path && isSameUri(a.uri, b.uri);
}

/** Whether two texts are one URI (RFC 3261 19.1.4). */
export function isSameUri(a: string, b: string): boolean {
  if (a === b) return true;
  const left = parseUri(a);
  const right = parseUri(b);
  return left.ok && right.ok && uriEquals(left.value, right.value);
}

const NOTHING_SET = { path: null, sendSocket: null };

/** The destinations that a request will be sent to besides its Request-URI, and those to be tried later. */
export class DestinationSet {
  /** Preference of the Request-URI itself ($ru_q). */
  q: number | null = null;
  /** The Routes of the Request-URI, as long as it is this one. */
  #main: {
    readonly uri: string;
    readonly path: string | null;
    readonly sendSocket: ListenPoint | null;
  } | null = null;
  #next: Destination[] = [];
  /** Groups that t_next_contacts takes one after the other. */
  #contacts: Destination[][] = [];

  /** The destinations appended so far. */
  get appended(): readonly Destination[] {
    return this.#next;
  }

  /** How many there are, appended and put aside. */
  get count(): number {
    return this.#next.length + this.#contacts.flat().length;
  }

  /** Whether a URI is among them, appended or put aside. */
  holds(uri: string): boolean {
    return [...this.#next, ...this.#contacts.flat()].some((known) => isSameUri(known.uri, uri));
  }

  /** Changes an appended destination, or takes it out (null). */
  change(index: number, destination: Destination | null): void {
    if (destination === null) this.#next.splice(index, 1);
    else this.#next[index] = destination;
  }

  /** The request's own destination: as it stands, with what `next` gave for its Request-URI. */
  mainOf({ uri, nextHop }: SipRequest): Destination {
    const { path, sendSocket } = this.#main?.uri === uri ? this.#main : NOTHING_SET;
    return { uri, nextHop, q: this.q, path, sendSocket };
  }

  /** Makes a destination the request's own. */
  makeMain(request: SipRequest, { uri, nextHop, path, sendSocket }: Destination): void {
    request.uri = uri;
    request.nextHop = nextHop;
    this.#main = { uri, path, sendSocket };
  }

  /** Adds a destination; false when it is in the set already. @throws ERR_TM_BRANCHES. */
  append(destination: Destination): boolean {
    if (this.#next.some((known) => isSame(known, destination))) return false;
    if (this.#next.length >= MAX_BRANCHES)
      throw errors.ERR_TM_BRANCHES('append_branch', MAX_BRANCHES, this.#next.length + 1);
    this.#next.push(destination);
    return true;
  }

  /** Empties the set. `main`: the Request-URI, which comes first, or null when it is not to be used. */
  take(main: Destination | null): readonly Destination[] {
    const taken = this.#next;
    this.#next = [];
    return main === null || taken.some((known) => isSame(known, main)) ? taken : [main, ...taken];
  }

  /** Forgets what was appended and not sent to; what t_load_contacts put aside stays. */
  clear(): void {
    this.#next = [];
  }

  /**
   * Puts all destinations aside for `next`, as `arrange` groups them. False, and nothing is changed, when they are one group only.
   */
  load(main: Destination | null, arrange: (all: readonly Destination[]) => Destination[][]): boolean {
    const groups = arrange(main === null ? this.#next : [main, ...this.#next]);
    if (groups.length < 2) return false;
    this.#next = [];
    this.#contacts = groups;
    return true;
  }

  /** The next group put aside; null when there is none. */
  next(): readonly Destination[] | null {
    return this.#contacts.shift() ?? null;
  }
}
