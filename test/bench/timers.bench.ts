/**
 * CPU per timer that is set and cancelled while 20,000 others wait: TimerWheel against setTimeout and clearTimeout.
 *
 *     node dist/test/bench/timers.bench.js
 */
import { performance } from 'node:perf_hooks';
import type { Timer } from '../../core/clock.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';

const TIMERS = 1_000_000;
const WAITING = 20_000;
/** Delays that the transactions of one proxied call ask for, ms. */
const DELAYS_MS = [500, 32_000, 5_000, 180_000, 1_000, 4_000];

/** Keeps WAITING timers set: each new one takes the place of the oldest, which is cancelled. Returns µs of CPU per timer. */
function measure<T>(set: (delayMs: number) => T, cancel: (timer: T) => void): number {
  const waiting: T[] = [];
  const round = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const place = i % WAITING;
      const oldest = waiting[place];
      if (oldest !== undefined) cancel(oldest);
      waiting[place] = set(DELAYS_MS[i % DELAYS_MS.length] ?? 0);
    }
  };
  round(TIMERS / 10);
  const before = process.cpuUsage();
  round(TIMERS);
  const used = process.cpuUsage(before);
  for (const timer of waiting) cancel(timer);
  return (used.user + used.system) / TIMERS;
}

/** Lets every one of `count` timers fire. Returns µs of CPU per timer. */
async function measureFiring(
  count: number,
  set: (delayMs: number, fire: () => void) => void,
): Promise<number> {
  const before = process.cpuUsage();
  await new Promise<void>((resolve) => {
    let left = count;
    const fire = (): void => {
      left -= 1;
      if (left === 0) resolve();
    };
    for (let i = 0; i < count; i += 1) set(1 + (i % 997), fire);
  });
  const used = process.cpuUsage(before);
  return (used.user + used.system) / count;
}

const wheel = new TimerWheel({
  onError: (error) => {
    throw error;
  },
});
const nothing = (): void => {};
const start = performance.now();
const rows = {
  'set and cancel': {
    TimerWheel: measure<Timer>(
      (delayMs) => wheel.setTimer(delayMs, nothing),
      (timer) => timer.cancel(),
    ),
    setTimeout: measure<NodeJS.Timeout>((delayMs) => setTimeout(nothing, delayMs), clearTimeout),
  },
  fire: {
    TimerWheel: await measureFiring(200_000, (delayMs, fire) => void wheel.setTimer(delayMs, fire)),
    setTimeout: await measureFiring(200_000, (delayMs, fire) => void setTimeout(fire, delayMs)),
  },
};
wheel.close();
for (const [what, { TimerWheel: ours, setTimeout: node }] of Object.entries(rows)) {
  process.stdout.write(
    `${what}: TimerWheel ${ours.toFixed(3)} µs, setTimeout ${node.toFixed(3)} µs of CPU per timer\n`,
  );
}
process.stdout.write(`took ${((performance.now() - start) / 1_000).toFixed(1)} s\n`);
