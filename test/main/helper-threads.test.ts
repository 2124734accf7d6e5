import assert from 'node:assert/strict';
import { constants, getPriority } from 'node:os';
import { test } from 'node:test';
import { helperThreads, lowerWhenCompiled } from '../../core/main/helper-threads.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

const LOW = constants.priority.PRIORITY_LOW;
/** An id that no thread has: beyond the largest of Linux. */
const NO_THREAD = 2 ** 22 + 1;

const skip = process.platform === 'linux' ? false : 'the system does not list threads';

test('helper threads: their priority falls once the process has used 10 s of CPU; that of the thread of messages stays', {
  skip,
}, () => {
  const clock = new FakeClock();
  const threads = helperThreads();
  const before = threads.map((thread) => getPriority(thread));
  const own = getPriority(process.pid);
  let user = 6_000_000;
  assert.ok(threads.length > 0);
  assert.ok(before.every((priority) => priority < LOW));
  lowerWhenCompiled([NO_THREAD, ...threads], clock, () => ({ user, system: 3_999_999 }));
  clock.advance(60_000);
  assert.deepEqual(
    threads.map((thread) => getPriority(thread)),
    before,
  );
  user++;
  clock.advance(1_000);
  assert.ok(threads.every((thread) => getPriority(thread) === LOW));
  assert.equal(getPriority(process.pid), own);
});

test('helper threads: without any nothing is waited for', () => {
  const clock = new FakeClock();
  lowerWhenCompiled([], clock);
  assert.equal(clock.pending, 0);
});
