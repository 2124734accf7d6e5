import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '../programs/temp-folder.ts';
import { withArrangement } from './arrangement.ts';
import { flameGraphSvg, lastOf, type Profile } from './flame-graph-svg.ts';
import type { BenchOptions } from './options.ts';
import { print } from './table.ts';

/** Calls a second unless told. */
const DEFAULT_RATE = 2_000;
/** Distance of two samples of the profile, µs. */
const INTERVAL_US = 500;

/** Profiles kamaiki under calls and draws where its CPU goes, as a flame graph. */
export async function flameGraph(options: BenchOptions): Promise<void> {
  const { seconds, callers, children, delayMs, warmUp, out } = options;
  const rate = options.rate ?? DEFAULT_RATE;
  const [cached = true] = options.cached;
  const folder = tempFolder();
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_US}`];
  const node = [...options.node, ...profiling] as const;
  let begun = 0;
  await withArrangement({ proxy: 'kamaiki', cached, delayMs, callers, children, node }, async (bench) => {
    await bench.warmUp(warmUp);
    begun = performance.now();
    const { failed, successful } = await bench.call({ rate, calls: rate * seconds });
    print(`${successful} calls went well, ${failed} failed`);
  });
  const profile: Profile = JSON.parse(readFileSync(largestProfile(folder), 'utf8'));
  // Start and warm-up are left out: the profile goes on until the proxy has ended.
  const measured = lastOf(profile, (performance.now() - begun) * 1000);
  const title = `kamaiki at ${rate} calls/s, ${cached ? 'with' : 'without'} memcached operations`;
  writeFileSync(out, flameGraphSvg(measured, title));
  print(`wrote ${out}`);
}

/** The proxy's own profile: processes that it starts leave theirs in the same folder. */
function largestProfile(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  const sizes = files.map((name) => ({
    file: join(folder, name),
    size: readFileSync(join(folder, name)).length,
  }));
  const [largest] = sizes.toSorted((a, b) => b.size - a.size);
  if (largest === undefined) throw new Error('the proxy left no profile');
  return largest.file;
}
