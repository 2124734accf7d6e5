import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { cpuUsage } from 'node:process';
import type { Clock } from '../clock.ts';

/**
 * CPU time that the process has used, us, when its code counts as compiled. Until then the compiler needs its share: on one busy core it would wait
 * behind the messages, and they would run uncompiled for longer.
 */
const COMPILED_CPU_US = 10_000_000;
/** How often that is looked at, ms. */
const LOOK_MS = 1_000;

/**
 * The threads of this process, by their ids, beside the one that handles messages: V8's, and Node.js's for files. None where the system does not
 * list them (it does on Linux).
 */
export function helperThreads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task')
      .map(Number)
      .filter((thread) => thread !== process.pid);
  } catch {
    return [];
  }
}

/**
 * Gives threads the lowest priority once the code is compiled. What they do then is collect garbage: they mark the old generation for 0.1 s and more,
 * several at once, and where there are few cores messages would wait for them. `usage` is the CPU time that the process has used, us.
 */
export function lowerWhenCompiled(
  threads: readonly number[],
  clock: Clock,
  usage: () => Readonly<NodeJS.CpuUsage> = cpuUsage,
): void {
  if (threads.length === 0) return;
  const { user, system } = usage();
  if (user + system < COMPILED_CPU_US) {
    clock.setTimer(LOOK_MS, () => lowerWhenCompiled(threads, clock, usage));
    return;
  }
  for (const thread of threads) lower(thread);
}

function lower(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended.
  }
}
