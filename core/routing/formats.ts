import { errors } from '../errors.ts';
import type { Loaded } from '../registry/loaded.ts';
import { isPromiseLike } from '../registry/promise-like.ts';
import type { Scope } from '../registry/scope.ts';
import type { FormatService, PvResult } from '../registry/services.ts';
import { excerpt, shownTyped } from '../registry/shown.ts';
import { BoundedCache } from './bounded-cache.ts';
import { compileFormat, type Format, type Reference } from './format.ts';
import { asResult } from './pv-result.ts';
import { Variables } from './variables.ts';

/** Compiled formats kept. Route files have some dozens; more come only from texts that are put together at run time. */
export const MAX_CACHED_FORMATS = 1_000;

/** Formats longer than this are compiled each time, so that the cache's memory is bounded too, chars. */
export const MAX_CACHED_FORMAT_CHARS = 4_096;

/** What setting a variable answers. */
type Answer = PvResult | boolean | undefined;

/** Expands pseudo-variable formats, and reads and sets variables by name. */
export class Formats implements FormatService {
  #variables = new Variables([]);
  #cache = new BoundedCache<Format>(MAX_CACHED_FORMATS);

  /** Makes the variables of these modules the ones that formats may name. */
  use(registry: { readonly loaded: readonly Loaded[] }): void {
    this.#variables = new Variables(registry.loaded);
    this.#cache = new BoundedCache(MAX_CACHED_FORMATS);
  }

  /** How many compiled formats are kept. */
  get cached(): number {
    return this.#cache.size;
  }

  expand(scope: Scope, format: string): string | Promise<string> {
    return checked(format).includes('$') ? this.#compiled(format).expand(scope, false) : format;
  }

  expandKey(scope: Scope, format: string): string | Promise<string> {
    return checked(format).includes('$') ? this.#compiled(format).expand(scope, true) : format;
  }

  get(scope: Scope, name: string): PvResult | Promise<PvResult> {
    const value = this.#variable(name).get(scope);
    return isPromiseLike(value) ? Promise.resolve(value).then(asResult) : asResult(value);
  }

  set(scope: Scope, name: string, value: PvResult): Answer | Promise<Answer> {
    const answer = this.#variable(name).set(scope, value);
    return isPromiseLike(answer) ? Promise.resolve(answer).then(asAnswer) : asAnswer(answer);
  }

  #variable(name: string): Reference {
    const { only } = this.#compiled(checked(name));
    if (only === null)
      throw errors.ERR_PV_SYNTAX(excerpt(name), 0, 'the name of one pseudo-variable must stand here');
    return only;
  }

  #compiled(text: string): Format {
    const cached = this.#cache.get(text);
    if (cached !== undefined) return cached;
    const format = compileFormat(text, this.#variables);
    if (text.length <= MAX_CACHED_FORMAT_CHARS) this.#cache.set(text, format);
    return format;
  }
}

/** A text that routes gave. @throws ERR_TEXT_TYPE. */
function checked(text: string): string {
  if (typeof text !== 'string') throw errors.ERR_TEXT_TYPE('a text with pseudo-variables', shownTyped(text));
  return text;
}

function asAnswer(answer: unknown): Answer {
  return answer === undefined || typeof answer === 'boolean' ? answer : asResult(answer);
}
