/** What `highestPassing` searches in. */
export interface Bisection {
  /** Bounds of the search; multiples of `step`. */
  readonly low: number;
  readonly high: number;
  /** How fine the answer is. */
  readonly step: number;
  /** Trials of one value: it passes when one of them does, since a hiccup of the machine is no limit of the program. */
  readonly attempts: number;
  readonly passes: (value: number) => Promise<boolean>;
}

/**
 * Finds the highest value that passes, to within `step`, where all below a limit pass and all above it do not. Returns null when not even `low`
 * passes, and `high` when that does.
 */
export async function highestPassing(search: Bisection): Promise<number | null> {
  const { low, high, step } = search;
  if (!(await passesOnce(search, low))) return null;
  if (await passesOnce(search, high)) return high;
  let [good, bad] = [low, high];
  while (bad - good > step) {
    const middle = good + Math.max(step, Math.floor((bad - good) / 2 / step) * step);
    if (await passesOnce(search, middle)) good = middle;
    else bad = middle;
  }
  return good;
}

async function passesOnce({ attempts, passes }: Bisection, value: number): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (await passes(value)) return true;
  }
  return false;
}
