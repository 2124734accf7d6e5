import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PROBE_MIN_MS } from '../../modules/memcached/breaker.ts';
import type { CacheClient } from '../../modules/memcached/client.ts';
import type { ReadOutcome } from '../../modules/memcached/outcome.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { FakeServer, PATIENCE_MS } from './fake-server.ts';
import { clientOf } from './rig.ts';

/** Deadline of an operation on the fake server, by the fake clock, ms. */
export const TIMEOUT_MS = 250;

/** Releases that its journal keeps. */
export const JOURNAL = 3;

/** A client and the fake server that it talks to. */
export interface Rig {
  readonly server: FakeServer;
  readonly client: CacheClient;
  readonly clock: FakeClock;
  /** Warnings and notices, as they were logged. */
  readonly logged: () => readonly string[];
}

/** Starts both; they end with the test. */
export async function rigOf(t: TestContext): Promise<Rig> {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const log = recordedLog();
  const client = clientOf(t, [server.address], { clock, log, timeoutMs: TIMEOUT_MS, journal: JOURNAL });
  return {
    server,
    client,
    clock,
    logged: () => log.lines.map(({ level, message }) => `${level} ${message}`),
  };
}

/** Asserts that a read failed, for a reason. */
export function assertDown(outcome: ReadOutcome, reason: RegExp): void {
  assert.equal(outcome.status, 'down');
  assert.match(outcome.status === 'down' ? outcome.reason : '', reason);
}

/** Lets the breaker probe, answers the probe, and shows that the next read gets its own value. */
export async function assertRecovers({ server, client, clock, logged }: Rig): Promise<void> {
  clock.advance(PROBE_MIN_MS);
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  const late = performance.now() + PATIENCE_MS;
  while (!logged().some((line) => line.endsWith('answers again'))) {
    assert.ok(performance.now() < late, 'the breaker did not close');
    await turn();
  }
  const reading = client.read('after');
  await server.received('get after\r\n');
  server.write('VALUE after 1 4\r\nwell\r\nEND\r\n');
  assert.deepEqual(await reading, { status: 'hit', value: 'well' });
}
