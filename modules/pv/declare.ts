import type { Call, CoreServices } from '../../core/index.ts';

/** What the variables of this module need. */
export interface PvState {
  readonly core: CoreServices;
  /** Wall clock, ms since 1970: the core's clock is monotonic and knows no date. */
  readonly wallMs: () => number;
}

/** What a getter or setter of this module receives. */
export type PvCall = Call<PvState>;

/** A variable without parentheses that can only be read. */
export interface ReadOnly<T> {
  readonly doc: string;
  readonly plain: true;
  get(call: PvCall): T;
}

/** A variable without parentheses that can be set as well. */
export interface Settable<T, W> extends ReadOnly<T> {
  set(call: PvCall, value: W): void;
}

/** Declares a variable that can only be read. */
export function readOnly<T>(doc: string, get: (call: PvCall) => T): ReadOnly<T> {
  return { doc, plain: true, get };
}

/** Declares a variable that can be read and set. */
export function settable<T, W>(
  doc: string,
  get: (call: PvCall) => T,
  set: (call: PvCall, value: W) => void,
): Settable<T, W> {
  return { doc, plain: true, get, set };
}
