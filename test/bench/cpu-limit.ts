import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { treeOf } from './process-tree.ts';

/** Where Linux keeps control groups: their CPU in version 1, or all of them in version 2. */
const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';
/** In every such period a group gets its share, µs: short, so that what has used its share waits briefly. */
const PERIOD_US = 10_000;
/** How long processes may take to leave a group, ms. */
const LEAVE_MS = 2_000;
const LOOK_AGAIN_MS = 50;

/**
 * Lets a process and its descendants, those to come too, have a share of one CPU only. Needs to be root.
 *
 * @param share In CPUs: 0.5 is half of one.
 * @returns What removes the limit; to be called when the processes have ended.
 * @throws where control groups cannot be made.
 */
export function limitCpu(root: number, share: number): () => Promise<void> {
  const isV1 = existsSync(V1);
  const group = `${isV1 ? V1 : V2}/kamaiki-bench-${root}`;
  mkdirSync(group);
  const quotaUs = Math.round(share * PERIOD_US);
  if (isV1) {
    writeFileSync(`${group}/cpu.cfs_period_us`, String(PERIOD_US));
    writeFileSync(`${group}/cpu.cfs_quota_us`, String(quotaUs));
  } else writeFileSync(`${group}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
  for (const pid of treeOf(root)) writeFileSync(`${group}/cgroup.procs`, String(pid));
  return async () => {
    for (let waitedMs = 0; waitedMs < LEAVE_MS; waitedMs += LOOK_AGAIN_MS) {
      try {
        return rmdirSync(group);
      } catch {
        await delay(LOOK_AGAIN_MS);
      }
    }
  };
}
