import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { CacheClient } from '../../modules/memcached/client.ts';
import { Limits } from '../../modules/memcached/limits/limits.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { type Backend, backends, PATIENT_TIMEOUT_MS, realClock } from './rig.ts';

/** The limits of a client, with a Unix clock of the test's own; they end with the test. */
export function limitsOf(
  t: TestContext,
  client: CacheClient,
  {
    clock = realClock(t),
    nowMs,
    log = recordedLog(),
  }: { readonly clock?: Clock; readonly nowMs?: () => number; readonly log?: Logger } = {},
): Limits {
  const limits = new Limits({
    client,
    clock,
    ...(nowMs === undefined ? {} : { nowMs }),
    randomToken: (length) => randomBytes(length).toString('hex').slice(0, length),
    log,
  });
  t.after(() => limits.stop());
  return limits;
}

/** Waits until a check holds, within the patience of tests. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENT_TIMEOUT_MS;
  while (!(await check())) {
    if (performance.now() > late) throw new Error(`${what}: not within ${PATIENT_TIMEOUT_MS} ms`);
    await delay(5);
  }
}

/** Runs one test on every kind of server; `name` begins with what is tested and a colon. */
export function onEachBackend(name: string, run: (t: TestContext, backend: Backend) => Promise<void>): void {
  for (const kind of backends) {
    test(name.replace(':', ` on ${kind.name}:`), { skip: kind.skip }, async (t) =>
      run(t, await kind.start(t)),
    );
  }
}
