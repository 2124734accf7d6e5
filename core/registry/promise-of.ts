const YES = Promise.resolve(true);
const NO = Promise.resolve(false);

/**
 * A promise for an outcome that is mostly there already; then it is one that all share. What a handler has to wait for is always a promise to it, so that
 * its types tell where it was forgotten, in a condition too.
 */
export function promiseOf(outcome: boolean | Promise<boolean>): Promise<boolean> {
  if (outcome instanceof Promise) return outcome;
  return outcome ? YES : NO;
}
