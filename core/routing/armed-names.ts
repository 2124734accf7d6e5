import type { NamedRouteKind } from '../registry/services.ts';
import { withoutComments } from './source-text.ts';

/** Functions that arm a handler by its name, and the kind they arm (Kamailio's tm). */
const ARMING = {
  t_on_failure: 'failure',
  t_on_reply: 'onreply',
  t_on_branch: 'branch',
} as const satisfies Record<string, NamedRouteKind>;

/** A call with a plain string literal: one that is put together at run time is for the function itself to check. */
const ARMING_CALL =
  /\b(t_on_failure|t_on_reply|t_on_branch)\s*\(\s*(?:"([^"\\]*)"|'([^'\\]*)'|`([^`\\$]*)`)/g;

/** A handler named in a call of `fn`. */
export interface ArmedName {
  readonly fn: keyof typeof ARMING;
  readonly kind: NamedRouteKind;
  readonly name: string;
  /** Where the call stands in the source text. */
  readonly offset: number;
}

/** Finds the handlers that a handler's source text arms by literal names. */
export function namesArmedBy(source: string): ArmedName[] {
  return [...withoutComments(source).matchAll(ARMING_CALL)].flatMap((match) => {
    const [, fn, double, single, template] = match;
    const name = double ?? single ?? template;
    return isArming(fn) && name !== undefined ? [{ fn, kind: ARMING[fn], name, offset: match.index }] : [];
  });
}

function isArming(name: string | undefined): name is keyof typeof ARMING {
  return name !== undefined && Object.hasOwn(ARMING, name);
}
