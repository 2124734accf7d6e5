import {
  type ApiOf,
  type Call,
  decodeText,
  errors,
  type Logger,
  type ModuleRegistry,
  parseUri,
  type SipRequest,
  type Uri,
  uriEquals,
} from '../../core/index.ts';
import { type Contact, contactsOf, removeContacts } from './contacts.ts';
import { type DefaultFilters, Filters } from './filters.ts';

type Search = NonNullable<ReturnType<ApiOf<ModuleRegistry['tm']>['searchOf']>>;

/** What is known about one request. */
interface Known {
  readonly filters: Filters;
  /** Contacts that it has been sent on to. */
  readonly used: Uri[];
}

/** What the functions of this module need and know. */
export class Redirects {
  readonly #tm: ApiOf<ModuleRegistry['tm']>;
  readonly #defaults: DefaultFilters;
  /** Preference of contacts without one. */
  readonly #noQ: number;
  readonly #log: Logger;
  readonly #known = new WeakMap<object, Known>();

  constructor(options: {
    readonly tm: ApiOf<ModuleRegistry['tm']>;
    readonly defaults: DefaultFilters;
    readonly noQ: number;
    readonly log: Logger;
  }) {
    this.#tm = options.tm;
    this.#defaults = options.defaults;
    this.#noQ = options.noQ;
    this.#log = options.log;
  }

  /** The filters of the request in hand; null: it may get no branch any more. */
  filtersOf({ scope }: Call<Redirects, SipRequest>): Filters | null {
    const search = this.#tm.searchOf(scope);
    return search === null ? null : this.#knownOf(search).filters;
  }

  /** Makes branches of the contacts of all 3xx; false: there is none to be tried. */
  take({ scope, msg }: Call<Redirects, SipRequest>, { total, perBranch }: Limits): boolean {
    const search = this.#tm.searchOf(scope);
    if (search === null) return false;
    const known = this.#knownOf(search);
    let left = Math.min(total, search.room);
    const before = known.used.length;
    for (const answered of search.answered) {
      const { response } = answered;
      if (response.status < 300 || response.status > 399) continue;
      const wanted = contactsOf(response, this.#noQ).filter((contact) =>
        isAllowed(msg, contact, known.filters),
      );
      const taken = appendAll(search, wanted, { most: Math.min(left, perBranch), used: known.used });
      left -= taken;
      if (taken === 0) continue;
      // RFC 3261 16.7 step 4: a redirect all of whose contacts have been tried is no answer.
      if (!removeContacts(response, ({ uri }) => isIn(known.used, uri))) answered.dropped = true;
      this.#log.info('redirect followed', { callId: msg.callId, status: response.status, contacts: taken });
    }
    return known.used.length > before;
  }

  #knownOf({ transaction }: Search): Known {
    const found = this.#known.get(transaction);
    if (found !== undefined) return found;
    const known = { filters: new Filters(this.#defaults), used: [] };
    this.#known.set(transaction, known);
    return known;
  }
}

/** Appends the first contacts that are new to the request; no URI is tried twice (RFC 3261 16.5). */
function appendAll(
  search: Search,
  contacts: readonly Contact[],
  { most, used }: { readonly most: number; readonly used: Uri[] },
): number {
  let taken = 0;
  for (const { text, uri, q } of contacts) {
    if (taken >= most) break;
    if (search.isKnown(text)) continue;
    search.append(text, q);
    used.push(uri);
    taken += 1;
  }
  return taken;
}

function isIn(uris: readonly Uri[], uri: Uri): boolean {
  return uris.some((known) => uriEquals(known, uri));
}

/** Whether a contact may be tried: none but SIP can be reached, and a SIPS request stays secure (RFC 3261 26.4.4). */
function isAllowed(request: SipRequest, { text, uri }: Contact, filters: Filters): boolean {
  if (uri.scheme !== 'sips' && (uri.scheme !== 'sip' || isSips(request))) return false;
  return filters.lets(decodeText(text));
}

function isSips({ originalUri }: SipRequest): boolean {
  const uri = parseUri(originalUri);
  return uri.ok && uri.value.scheme === 'sips';
}

/** How many contacts are taken, in all and of each redirect. */
export interface Limits {
  readonly total: number;
  readonly perBranch: number;
}

/**
 * Reads `total[:per branch]`, where `*` and 0 mean all.
 * @throws ERR_UAC_REDIRECT_VALUE.
 */
export function limitsOf(max: string | number): Limits {
  const [, total, perBranch = '*'] = /^(\*|\d{1,6})(?::(\*|\d{1,6}))?$/.exec(String(max)) ?? [];
  if (total === undefined)
    throw errors.ERR_UAC_REDIRECT_VALUE(
      'get_redirects',
      "numbers as in '3', '4:1' or '*:2'",
      JSON.stringify(max),
    );
  return { total: limitOf(total), perBranch: limitOf(perBranch) };
}

function limitOf(text: string): number {
  return text === '*' || Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text);
}
