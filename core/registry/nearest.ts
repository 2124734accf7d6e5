/** Names longer than this are not compared, so that a mistake stays cheap whatever was typed. */
const MAX_COMPARED_CHARS = 64;

/** A name may differ from the one meant by one edit in this many characters. */
const CHARS_PER_EDIT = 3;

/** Edits that turn one text into the other: characters added, left out, changed, or two neighbours swapped. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(beforePrevious, j - 2) + 1);
      row.push(best);
    }
    beforePrevious = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** Finds the valid name that was most likely meant, any case; null when none is close enough. The first of equals wins. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  if (name.length > MAX_COMPARED_CHARS) return null;
  // Kamailio loads tm.so, which is tm here.
  const typed = name.toLowerCase().replace(/\.so$/, '');
  let nearest: string | null = null;
  let fewest = Math.max(1, Math.floor(typed.length / CHARS_PER_EDIT)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > MAX_COMPARED_CHARS) continue;
    const edits = editDistance(typed, candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/** The end of an error message about an unknown name: `; did you mean 'memcached'?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === null ? '' : `; did you mean '${nearest}'?`;
}
