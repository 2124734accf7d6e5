/** The slots of a table, all empty. */
export function emptySlots<T>(count: number): (T | null)[] {
  // oxlint-disable-next-line unicorn/no-new-array -- a length is meant, and Array.from takes more than twice as long, while messages wait
  return new Array<T | null>(count).fill(null);
}
