import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CacheClient } from '../../modules/memcached/client.ts';
import { freePort } from '../programs/free-port.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { clientOf } from './rig.ts';

const skip = missing('memcached') ?? false;
const TIMEOUT_MS = 250;

/** Beyond the timeout, for a machine under load, ms. */
const SLACK_MS = 2000;

/** Reads until the outcome is this one; every read must end within the timeout. */
async function until(client: CacheClient, status: string): Promise<void> {
  const patience = performance.now() + 20_000;
  for (;;) {
    const from = performance.now();
    const outcome = await client.read('k');
    const took = performance.now() - from;
    assert.ok(took < TIMEOUT_MS + SLACK_MS, `a read took ${took} ms`);
    if (outcome.status === status) return;
    assert.ok(performance.now() < patience, `still ${outcome.status}`);
    await delay(5);
  }
}

test('recovery: memcached that is absent at the start, killed, restarted and paused comes back by itself', {
  skip,
}, async (t) => {
  const port = await freePort();
  const log = recordedLog();
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port }], { log, timeoutMs: TIMEOUT_MS });
  await client.start();
  assert.equal((await client.read('k')).status, 'down');

  let server = await startMemcached({ port });
  t.after(() => server.kill());
  await until(client, 'miss');

  await server.kill();
  await until(client, 'down');
  server = await startMemcached({ port });
  await until(client, 'miss');

  server.pause();
  await until(client, 'down');
  server.resume();
  await until(client, 'miss');

  const levels = log.lines.map(({ level }) => level);
  assert.deepEqual(levels, ['warn', 'notice', 'warn', 'notice', 'warn', 'notice']);
});
