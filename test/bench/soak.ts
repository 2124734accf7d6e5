import { freePort } from '../programs/free-port.ts';
import { type Point, slopeOf } from '../memcached/least-squares.ts';
import { scraped } from '../metrics/scraped.ts';
import { type Arrangement, withArrangement } from './arrangement.ts';
import { lowestPerWindow } from './lowest-per-window.ts';
import type { BenchOptions } from './options.ts';
import { findPeak } from './peak.ts';
import { print, shown } from './table.ts';

/** How often memory is read, ms. */
const SAMPLE_MS = 1_000;
/** The lowest reading of so many seconds counts: garbage that waits for collection is no growth. */
const WINDOW_S = 10;
/** Share of the run at its start in which pools and tables grow to their size; it does not count. */
const WARM_UP_SHARE = 0.1;

/** Memory over time, s and kB; of the heap, the first reading after each collection of all of it. */
interface Samples {
  readonly heap: Point[];
  readonly resident: Point[];
}

/** How much heap is used, and how often all of it has been collected. */
async function readHeap(
  metricsPort: number,
): Promise<{ readonly usedKb: number; readonly collections: number }> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const { value, metrics } = scraped(await response.text());
  const collected = metrics.get('nodejs_gc_duration_seconds')?.values;
  return {
    usedKb: value('nodejs_heap_size_used_bytes') / 1024,
    collections: collected?.get('nodejs_gc_duration_seconds_count{kind="major"}') ?? 0,
  };
}

/** Reads memory until told to stop. */
function watch(
  bench: Arrangement,
  metricsPort: number,
): { readonly samples: Samples; readonly stop: () => void } {
  const samples: Samples = { heap: [], resident: [] };
  const begun = performance.now();
  let missed = 0;
  let collections = 0;
  const timer = setInterval(() => {
    const x = (performance.now() - begun) / 1000;
    samples.resident.push({ x, y: bench.usage().residentKb });
    readHeap(metricsPort).then(
      (heap) => {
        // Only then is what is used not mostly garbage that waits.
        if (heap.collections > collections) samples.heap.push({ x, y: heap.usedKb });
        collections = heap.collections;
      },
      () => {
        missed += 1;
      },
    );
  }, SAMPLE_MS);
  const stop = (): void => {
    clearInterval(timer);
    if (missed > 0) print(`${missed} readings of the heap failed`);
  };
  return { samples, stop };
}

function printSlope(
  name: string,
  points: readonly Point[],
  { calls, seconds, of }: { readonly calls: number; readonly seconds: number; readonly of: string },
): void {
  const kbPerS = slopeOf(points);
  const bytesPerCall = (kbPerS * 1024 * seconds) / calls;
  const ends = [points[0], points.at(-1)]
    .map((point) => shown((point?.y ?? Number.NaN) / 1024, 1))
    .join(' to ');
  print(
    `${name}: ${ends} MB, slope ${shown(kbPerS * 60, 1)} kB a minute, ${shown(bytesPerCall, 2)} bytes a call (least squares over ${points.length} readings, ${of})`,
  );
}

/** Has kamaiki carry half its peak for some minutes, and prints failed calls and how its memory grows. */
export async function soak(options: BenchOptions): Promise<void> {
  const { minutes, callers, children, delayMs, node, warmUp, low, high } = options;
  const metricsPort = await freePort();
  const [cached = true] = options.cached;
  await withArrangement(
    { proxy: 'kamaiki', cached, delayMs, callers, children, node, metricsPort },
    async (bench) => {
      await bench.warmUp(warmUp);
      const rate = options.rate ?? Math.floor((await findPeak(bench, { low, high })).goodput / 2);
      const seconds = Math.round(minutes * 60);
      print(`${rate} calls/s for ${minutes} minutes, ${cached ? 'with' : 'without'} memcached operations`);
      const watched = watch(bench, metricsPort);
      const result = await bench.measure({ rate, calls: rate * seconds }).finally(watched.stop);
      const left = await bench.leftovers();
      print(
        `${result.started} calls: ${result.successful} went well, ${result.failed} failed, ${result.retransmissions} retransmissions; ` +
          `left in memcached: ${left?.keys ?? '-'} keys, counter ${left?.active ?? '-'}`,
      );
      print(
        `CPU ${shown(result.userUsPerCall + result.systemUsPerCall)} us a call, highest resident memory ${shown(result.peakMb)} MB`,
      );
      const warm = ({ x }: Point): boolean => x >= seconds * WARM_UP_SHARE;
      const run = { calls: result.started, seconds };
      const { heap, resident } = watched.samples;
      printSlope('heap', heap.filter(warm), { ...run, of: 'each after a collection of all of it' });
      printSlope('resident memory', lowestPerWindow(resident.filter(warm), WINDOW_S), {
        ...run,
        of: `the lowest of each ${WINDOW_S} s`,
      });
    },
  );
}
