import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { missing } from '../programs/missing.ts';
import { slopeOf } from './least-squares.ts';

const skip = missing('memcached') ?? false;
const BENCH = join(import.meta.dirname, '../bench/keys.bench.js');

/** Longest run, ms; it takes some seconds. */
const LIMIT_MS = 120_000;

/** Growth that is taken for none, bytes per key: what garbage collection and compiled code leave to chance, 1.6 MB in all. */
const FLAT = 8;

/** Runs so many keys through the module in a process of its own, and returns by how much its memory grew, bytes per key. */
async function growth(t: TestContext, keys: number, ...args: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--enable-source-maps', BENCH, String(keys), ...args],
    { timeout: LIMIT_MS, killSignal: 'SIGKILL' },
  );
  for (const line of stdout.trim().split('\n')) t.diagnostic(line);
  const slope = /^slope: (\S+) bytes per key$/m.exec(stdout)?.[1];
  assert.ok(slope !== undefined, stdout);
  return Number(slope);
}

test('keys: 200,000 different ones leave nothing behind in the heap', { skip }, async (t) => {
  const slope = await growth(t, 200_000);
  assert.ok(slope < FLAT, `${slope} bytes per key`);
});

test('keys: a heap that keeps them would show', { skip }, async (t) => {
  assert.ok((await growth(t, 50_000, 'leak')) > 2 * FLAT);
});

test('keys: the slope is that of the nearest line', () => {
  assert.equal(slopeOf([0, 1, 2, 3].map((x) => ({ x, y: 5 }))), 0);
  assert.equal(slopeOf([0, 1, 2, 3].map((x) => ({ x, y: 7 - 2 * x }))), -2);
  // 1/2 by hand: means 1 and 1, sum of products 1, of squares 2.
  assert.equal(
    slopeOf([
      { x: 0, y: 1 },
      { x: 1, y: 0 },
      { x: 2, y: 2 },
    ]),
    0.5,
  );
});
