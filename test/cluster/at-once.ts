/** Leases end by a clock of whole ms, which need not run as fast as the one that calls are timed by: what is taken off their length, ns. */
const CLOCK_MARGIN_NS = 5_000_000n;

/**
 * How many calls there were at one time, at most, by what `call-load-process` has printed. One whose end is not known, or is later, lasts as
 * long as a lease of `leaseS` seconds.
 */
export function mostAtOnce(lines: readonly string[], leaseS: number): number {
  const leaseNs = BigInt(leaseS) * 1_000_000_000n - CLOCK_MARGIN_NS;
  const ends = new Map<string, bigint>();
  for (const line of lines) {
    const [sign, time = '0', id = ''] = line.split(' ');
    if (sign === '-') ends.set(id, BigInt(time));
  }
  const steps: { readonly step: number; readonly at: bigint }[] = [];
  for (const line of lines) {
    const [sign, time = '0', id = '', asked = '0'] = line.split(' ');
    if (sign !== '+') continue;
    const leaseEnd = BigInt(asked) + leaseNs;
    const known = ends.get(id) ?? leaseEnd;
    const end = known < leaseEnd ? known : leaseEnd;
    if (end > BigInt(time)) steps.push({ step: 1, at: BigInt(time) }, { step: -1, at: end });
  }
  steps.sort((a, b) => (a.at === b.at ? a.step - b.step : a.at < b.at ? -1 : 1));
  let now = 0;
  let most = 0;
  for (const { step } of steps) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}
