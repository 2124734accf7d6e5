/** What the order among SRV records hangs on (RFC 2782). */
interface Ranked {
  /** Lower goes first. */
  readonly priority: number;
  /** Share among those of the same priority. */
  readonly weight: number;
}

/**
 * Puts SRV records in the order to try them: by priority, and among equals drawn by weight (RFC 2782, "Usage rules"). The same records in the
 * same order and the same numbers of `random` (0 to below 1) give the same result.
 */
export function orderByWeight<T extends Ranked>(records: readonly T[], random: () => number): T[] {
  // Those without weight stand in front of their equals, which leaves them a small chance.
  const left = records.toSorted(
    (a, b) => a.priority - b.priority || Number(a.weight > 0) - Number(b.weight > 0),
  );
  const ordered: T[] = [];
  for (let next = left[0]; next !== undefined; next = left[0]) {
    const { priority } = next;
    const equals = left.filter((record) => record.priority === priority);
    const at = equals.length === 1 ? 0 : draw(equals, random);
    ordered.push(...left.splice(at, 1));
  }
  return ordered;
}

/** Index of the first record at which the sum of weights so far reaches a number drawn from 0 to the sum of all. */
function draw(records: readonly Ranked[], random: () => number): number {
  const total = records.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = Math.floor(random() * (total + 1));
  let sum = 0;
  return records.findIndex(({ weight }) => {
    sum += weight;
    return sum >= drawn;
  });
}

/** Offset basis and prime of the 32-bit FNV-1a hash. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Step of a Weyl sequence: 2^32 divided by the golden ratio, odd. */
const WEYL_STEP = 0x9e3779b9;
const TWO_TO_32 = 2 ** 32;

/**
 * Numbers from 0 to below 1 that follow from a text: requests of one call draw the same, so that a retransmission that is forwarded without
 * state goes the way of the first (RFC 3263 4.4), while calls spread over the servers by weight.
 */
export function randomFrom(text: string): () => number {
  let state = FNV_BASIS;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), FNV_PRIME);
  return () => {
    state = (state + WEYL_STEP) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / TWO_TO_32;
  };
}
