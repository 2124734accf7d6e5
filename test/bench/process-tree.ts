import { readdirSync, readFileSync } from 'node:fs';

/** Length of a tick of the system's accounting, µs: Linux shows 100 ticks a second (USER_HZ) on every platform that Node.js runs on. */
const TICK_US = 10_000;

/** What a process and all that it started have used since they began. */
export interface TreeUsage {
  /** CPU in user mode and in the kernel, µs. */
  readonly userUs: number;
  readonly systemUs: number;
  /** Memory in the machine: now, and at most so far, kB. Pages that processes share count for each. */
  readonly residentKb: number;
  readonly peakKb: number;
}

/** The ids of a process and all its descendants. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(name)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** The text of a file of /proc; null when its process has ended. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}

/** The fields of /proc/PID/stat behind the name, which may have spaces and brackets in it: [0] is the state, [1] the parent. */
function statOf(pid: number | string): readonly string[] | null {
  const text = textOf(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** CPU time of all threads by the scheduler's own account, which is exact where ticks are coarse, µs; null where the kernel keeps none. */
function exactUs(pid: number): number | null {
  let ns = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = textOf(`/proc/${pid}/task/${thread}/schedstat`);
      if (text === null) return null;
      ns += Number(text.split(' ')[0]);
    }
  } catch {
    return null;
  }
  return ns / 1000;
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kb = '0'] =
    new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(textOf(`/proc/${pid}/status`) ?? '') ?? [];
  return Number(kb);
}

/** Reads what a process and its descendants have used. Threads that have ended count in ticks only. */
export function usageOf(root: number): TreeUsage {
  let [userUs, systemUs, residentKb, peakKb] = [0, 0, 0, 0];
  for (const pid of treeOf(root)) {
    const stat = statOf(pid);
    if (stat === null) continue;
    const user = Number(stat[11]) * TICK_US;
    const system = Number(stat[12]) * TICK_US;
    // The kernel divides the exact time between user and system by where its ticks fell; only then it rounds.
    const total = Math.max(user + system, exactUs(pid) ?? 0);
    const share = user + system === 0 ? 1 : user / (user + system);
    userUs += total * share;
    systemUs += total * (1 - share);
    residentKb += memoryOf(pid, 'VmRSS');
    peakKb += memoryOf(pid, 'VmHWM');
  }
  return { userUs, systemUs, residentKb, peakKb };
}

/** CPU used between two readings, µs. */
export function cpuBetween(
  before: TreeUsage,
  after: TreeUsage,
): { readonly userUs: number; readonly systemUs: number } {
  return { userUs: after.userUs - before.userUs, systemUs: after.systemUs - before.systemUs };
}
