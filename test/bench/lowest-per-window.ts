import type { Point } from '../memcached/least-squares.ts';

/** The lowest of the points in each stretch of `length` along x, from the first point on; stretches without points give none. */
export function lowestPerWindow(points: readonly Point[], length: number): Point[] {
  const lowest = new Map<number, Point>();
  const start = points[0]?.x ?? 0;
  for (const point of points) {
    const window = Math.floor((point.x - start) / length);
    const known = lowest.get(window);
    if (known === undefined || point.y < known.y) lowest.set(window, point);
  }
  return [...lowest.values()];
}
