/**
 * The hashes that were added lately, in memory that never grows: each has one place, where it stays until another that belongs there is added.
 * 32 bits with a sign; 0 is never found.
 */
export class RecentHashes {
  readonly #places: Int32Array;
  #isEmpty = true;

  /** `places`: a power of two. */
  constructor(places: number) {
    this.#places = new Int32Array(places);
  }

  /** Whether none was ever added: a hash need not be reckoned then. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add(hash: number): void {
    this.#isEmpty = false;
    this.#places[hash & (this.#places.length - 1)] = hash;
  }

  has(hash: number): boolean {
    return hash !== 0 && this.#places[hash & (this.#places.length - 1)] === hash;
  }
}
