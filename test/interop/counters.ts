import assert from 'node:assert/strict';
import { rawExchange } from '../memcached/rig.ts';
import type { Memcached } from '../programs/memcached.ts';

/** Creates the counter of active calls that the routes of the tests move. */
export async function createCounter({ port }: Memcached): Promise<void> {
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  assert.match(await rawExchange(address, 'set active 0 0 1\r\n0\r\nquit\r\n'), /STORED/);
}

/** Asserts that `calls` calls were counted up, and down again, and that the state of each was kept and forgotten. */
export async function assertCounted({ port }: Memcached, calls: number): Promise<void> {
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const answer = await rawExchange(address, 'get active\r\nstats\r\nquit\r\n');
  const statistic = (name: string): number => Number(new RegExp(`STAT ${name} (\\d+)`).exec(answer)?.[1]);
  // memcached pads a number that has become shorter.
  assert.match(answer, /^VALUE active \d+ \d+\r\n0 *\r\n/);
  assert.deepEqual(
    { up: statistic('incr_hits'), down: statistic('decr_hits'), forgotten: statistic('delete_hits') },
    { up: calls, down: calls, forgotten: calls },
  );
}
