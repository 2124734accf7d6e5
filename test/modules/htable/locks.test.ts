import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htable } from '../../../modules/htable/htable.ts';
import { MAX_WAITING } from '../../../modules/htable/locks.ts';
import { startHtable } from './rig.ts';

const { sht_lock, sht_unlock, sht_locked } = htable.functions;

/** What a promise has come to, without waiting for it. */
async function stateOf(promise: Promise<boolean>): Promise<boolean | 'waits'> {
  return Promise.race([promise, new Promise<'waits'>((resolve) => setImmediate(resolve, 'waits'))]);
}

test('htable locks: a key is locked for one run of a handler, which may lock it again; others have their turn', async () => {
  const { call, otherRun } = startHtable({ htable: 'a' });
  const [second, third] = [otherRun(), otherRun()];
  assert.equal(await sht_lock.call(call, 'a=>k'), true);
  assert.equal(await sht_lock.call(call, ' a =>k'), true);
  assert.equal(await sht_lock.call(second, 'a=>other'), true);
  const waiting = sht_lock.call(second, 'a=>k');
  const later = sht_lock.call(third, 'a=>k');
  assert.equal(sht_unlock.call(second, 'a=>k'), false);
  assert.equal(sht_unlock.call(call, 'a=>k'), true);
  assert.equal(await stateOf(waiting), 'waits');
  assert.equal(sht_unlock.call(call, 'a=>k'), true);
  assert.equal(sht_unlock.call(call, 'a=>k'), false);
  assert.deepEqual([await waiting, await stateOf(later)], [true, 'waits']);
  assert.equal(sht_unlock.call(second, 'a=>k'), true);
  assert.equal(await later, true);
});

test('htable locks: two handlers that wait for each other do not wait for ever', async () => {
  const { call, otherRun, clock } = startHtable({ htable: 'a', lock_wait: 1000, lock_time: 5000 });
  const other = otherRun();
  await sht_lock.call(call, 'a=>1');
  await sht_lock.call(other, 'a=>2');
  const first = sht_lock.call(call, 'a=>2');
  clock.advance(1);
  const second = sht_lock.call(other, 'a=>1');
  clock.advance(999);
  assert.deepEqual([await stateOf(first), await stateOf(second)], [false, 'waits']);
  sht_unlock.call(call, 'a=>1');
  assert.equal(await second, true);
});

test('htable locks: a handler that never unlocks loses its lock, which is said', async () => {
  const { call, otherRun, clock, log, state } = startHtable({
    htable: 'a',
    lock_wait: 60_000,
    lock_time: 5000,
  });
  await sht_lock.call(call, 'a=>k');
  const waiting = sht_lock.call(otherRun(), 'a=>k');
  clock.advance(5000);
  assert.equal(await waiting, true);
  assert.deepEqual(
    log.lines.map(({ level, message }) => [level, message]),
    [['warn', '"a=>k" was locked for 5000 ms and is unlocked now']],
  );
  assert.equal(sht_unlock.call(call, 'a=>k'), false);
  clock.advance(5000);
  assert.equal(state.locks.size, 0);
});

test('htable locks: so many may wait for a key, and one more is refused at once', async () => {
  const { call, otherRun, state } = startHtable({ htable: 'a' });
  await sht_lock.call(call, 'a=>k');
  const waiting = Array.from({ length: MAX_WAITING }, () => sht_lock.call(otherRun(), 'a=>k'));
  assert.equal(await stateOf(sht_lock.call(otherRun(), 'a=>k')), false);
  state.stop();
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([false]));
});

test('htable locks: work with a key locked unlocks it, also when it fails, and is not done without the lock', async () => {
  const { call, otherRun, clock, state } = startHtable({ htable: 'a', lock_wait: 1000 });
  const done: string[] = [];
  const work = (what: string) => () => void done.push(what);
  assert.equal(await sht_locked.call(call, 'a=>k', work('one')), true);
  const failing = sht_locked.call(call, 'a=>k', () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  assert.equal(state.locks.size, 0);
  await sht_lock.call(call, 'a=>k');
  const late = sht_locked.call(otherRun(), 'a=>k', work('late'));
  clock.advance(1000);
  assert.equal(await late, false);
  assert.deepEqual(done, ['one']);
});
