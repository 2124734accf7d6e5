/**
 * Memory and CPU of distinct keys through the memcached module, on a real memcached: each key is written and read once, by `$mct`, in a transaction of
 * its own. The heap is measured after garbage collection; flat means that the module remembers nothing of a key.
 *
 *     node --expose-gc dist/test/bench/keys.bench.js [KEYS] [leak]
 *
 * With `leak` the bench itself keeps every key, to show that it would see a module that did.
 */
import { memcached } from '../../modules/memcached/memcached.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { defaultParams } from '../memcached/default-params.ts';
import { type Point, slopeOf } from '../memcached/least-squares.ts';
import { callOf, fakeCore, request } from '../modules/fake-core.ts';
import { startMemcached } from '../programs/memcached.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** Keys under way at a time. */
const BATCH = 500;
/** Measurements of the heap. */
const SAMPLES = 25;
/** The first of them, in which code is compiled and pools grow, do not count. */
const WARM_UP = 5;

const [keys = '1000000', leak] = process.argv.slice(2);
const total = Number(keys);
const { gc } = globalThis;
if (gc === undefined || !Number.isSafeInteger(total))
  throw new Error('node --expose-gc keys.bench.js [KEYS]');

const server = await startMemcached({ args: ['-m', '64', '-t', '1'] });
const clock = new TimerWheel({
  onError: (error) => {
    throw error;
  },
});
const log = recordedLog();
const state = memcached.init({
  params: { ...defaultParams(), servers: server.server, timeout: 20_000, budget: 60_000 },
  core: { ...fakeCore(), clock },
  log,
  deps: {},
});
await memcached.start?.(state);
const { $mct } = memcached.pseudoVariables;
const message = request();
const kept: string[] = [];

/** Keys as they go on the wire, those that have to be encoded, and those that are too long. */
function keyOf(index: number): string {
  if (index % 10 === 0) return `key with spaces ${index}`;
  return index % 10 === 1 ? `long:${'x'.repeat(250)}:${index}` : `call::${index}@198.51.100.7`;
}

async function useKey(index: number): Promise<void> {
  const key = keyOf(index);
  if (leak !== undefined) kept.push(key);
  const call = callOf(state, message, { log });
  await $mct.set(call, index, key);
  const value = await $mct.get(call, key);
  if (value !== index) throw new Error(`key ${index} holds ${String(value)}`);
}

function memoryInUse(): number {
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const points: Point[] = [];
const perSample = total / SAMPLES;
let done = 0;
const cpu = process.cpuUsage();
for (let sample = 0; sample < SAMPLES; sample++) {
  for (const end = Math.round((sample + 1) * perSample); done < end; ) {
    const size = Math.min(BATCH, end - done);
    const first = done;
    await Promise.all(Array.from({ length: size }, (_, i) => useKey(first + i)));
    done += size;
  }
  points.push({ x: done, y: memoryInUse() });
}
const used = process.cpuUsage(cpu);
const counted = points.slice(WARM_UP);
const slope = slopeOf(counted);
const last = counted.at(-1)?.y ?? 0;
process.stdout.write(
  `${done} keys, ${((used.user + used.system) / done / 2).toFixed(1)} us of CPU per operation, ${(last / 1e6).toFixed(1)} MB at the end\n` +
    `slope: ${slope.toFixed(3)} bytes per key\n`,
);
await memcached.stop?.(state);
clock.close();
await server.kill();
if (kept.length > done) throw new Error('more keys than there are');
