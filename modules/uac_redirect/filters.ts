import { errors } from '../../core/index.ts';

/** Filters that one request may have of a kind besides the parameter's (Kamailio's limit is six in all). */
const MAX_ADDED = 5;

/** Which filters of a kind a new one takes the place of. */
export const RESETS = ['', 'reset_all', 'reset_default', 'reset_added'] as const;
export type Reset = (typeof RESETS)[number];

export type FilterKind = 'accept' | 'deny';

/** @throws ERR_REGEX_SYNTAX, with the name of the function or parameter. */
export function filterOf(caller: string, text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw errors.ERR_REGEX_SYNTAX(caller, JSON.stringify(text), String(error));
  }
}

/** The filters that come from the parameters. */
export interface DefaultFilters {
  readonly rule: FilterKind;
  readonly accept: RegExp | null;
  readonly deny: RegExp | null;
}

/** Which contacts a request may be sent on to. */
export class Filters {
  readonly #rule: FilterKind;
  readonly #defaults: Record<FilterKind, RegExp | null>;
  readonly #added: Record<FilterKind, RegExp[]> = { accept: [], deny: [] };

  constructor({ rule, accept, deny }: DefaultFilters) {
    this.#rule = rule;
    this.#defaults = { accept, deny };
  }

  /** Adds a filter. False: there are too many. */
  add(kind: FilterKind, filter: RegExp, reset: Reset): boolean {
    if (reset === 'reset_all' || reset === 'reset_default') this.#defaults[kind] = null;
    if (reset === 'reset_all' || reset === 'reset_added') this.#added[kind] = [];
    if (this.#added[kind].length >= MAX_ADDED) return false;
    this.#added[kind].push(filter);
    return true;
  }

  /** Whether a contact passes: an accept filter that it matches lets it, else a deny filter keeps it, else the default rule decides. */
  lets(uri: string): boolean {
    if (this.#matches('accept', uri)) return true;
    return this.#rule === 'accept' && !this.#matches('deny', uri);
  }

  #matches(kind: FilterKind, uri: string): boolean {
    const standing = this.#defaults[kind];
    return (
      (standing !== null && uri.search(standing) >= 0) ||
      this.#added[kind].some((each) => uri.search(each) >= 0)
    );
  }
}
