import type { Destination } from './destinations.ts';

/** Highest q first; those of the same q form one group, to be tried at once (t_load_contacts, mode 0). */
export function byPreference(all: readonly Destination[]): Destination[][] {
  const groups: Destination[][] = [];
  for (const destination of all.toSorted((a, b) => (b.q ?? -1) - (a.q ?? -1))) {
    const last = groups.at(-1);
    if (last === undefined || last[0]?.q !== destination.q) groups.push([destination]);
    else last.push(destination);
  }
  return groups;
}

/**
 * One by one, in an order drawn with q as the weight: one of 0.5 comes first twice as often as one of 0.25. Those with a q of 0 or none come last, as
 * they stand (mode 1). `random` gives a number from 0 to 1, 1 left out.
 */
export function byWeight(all: readonly Destination[], random: () => number): Destination[][] {
  const drawn: Destination[] = [];
  const left = all.filter(({ q }) => q !== null && q > 0);
  while (left.length > 0) {
    let at = random() * left.reduce((sum, { q }) => sum + (q ?? 0), 0);
    const index = left.findIndex(({ q }) => (at -= q ?? 0) < 0);
    drawn.push(...left.splice(index, 1)); // -1, by rounding: the last
  }
  return [...drawn, ...all.filter(({ q }) => q === null || q <= 0)].map((each) => [each]);
}
