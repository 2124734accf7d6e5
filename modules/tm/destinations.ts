import { encodeText, errors, parseUri, printUri, type SipRequest, uriEquals } from '../../core/index.ts';

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
}

/** A destination as routes give it: what is left out is taken from the request in hand. */
export interface DestinationOptions {
  readonly uri?: string;
  readonly nextHop?: string | null;
  readonly q?: number;
}

/**
 * Reads a destination given by a route.
 * @throws ERR_URI_SYNTAX, ERR_TM_VALUE.
 */
export function destinationOf(request: SipRequest, { uri, nextHop, q }: DestinationOptions): Destination {
  if (q !== undefined && !(q >= 0 && q <= 1))
    throw errors.ERR_TM_VALUE('append_branch', 'a q from 0 to 1', q);
  return {
    uri: uri === undefined ? request.uri : requestUri(checkedUri('append_branch', uri)),
    nextHop: hopOf(request, nextHop),
    q: q ?? null,
  };
}

/** A URI without what may not stand in a Request-URI: headers and `method` (RFC 3261 16.6 step 2, 19.1.1). */
function requestUri(bytes: string): string {
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
  if (a.nextHop !== b.nextHop) return false;
  if (a.uri === b.uri) return true;
  const left = parseUri(a.uri);
  const right = parseUri(b.uri);
  return left.ok && right.ok && uriEquals(left.value, right.value);
}

/** The destinations that a request will be sent to besides its Request-URI, and those to be tried later. */
export class DestinationSet {
  /** Preference of the Request-URI itself ($ru_q). */
  q: number | null = null;
  #next: Destination[] = [];
  /** Groups that t_next_contacts takes one after the other. */
  #contacts: Destination[][] = [];

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
   * Puts all destinations aside for `next`: highest q first, those of the same q together, or each alone when `serial`. False, and nothing
   * is changed, when there is only one, or only one q.
   */
  load(main: Destination | null, serial: boolean): boolean {
    const all = main === null ? [...this.#next] : [main, ...this.#next];
    const groups: Destination[][] = [];
    for (const destination of all.toSorted((a, b) => (b.q ?? -1) - (a.q ?? -1))) {
      const last = groups.at(-1);
      if (serial || last === undefined || last[0]?.q !== destination.q) groups.push([destination]);
      else last.push(destination);
    }
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
