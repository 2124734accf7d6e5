/** How often values of each size came, in buckets that are fixed: plain numbers, read when someone asks for them. */
export class Histogram {
  /** Upper bounds of the buckets, bounds included, ascending; one more bucket takes what lies above. */
  readonly bounds: readonly number[];
  /** How many values fell into each bucket, and into none before it. */
  readonly counts: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @throws RangeError when the bounds do not ascend. */
  constructor(bounds: readonly number[]) {
    if (bounds.some((bound, i) => i > 0 && bound <= (bounds[i - 1] ?? bound)))
      throw new RangeError(`the bounds of a histogram ascend; these do not: ${bounds.join(', ')}`);
    this.bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
    this.counts = this.#counts;
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += value;
  }
}
