import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Waiting, WaitQueue, Waits } from '../../../modules/tm/wait-queue.ts';
import { FakeClock } from '../../../core/testing/fake-clock.ts';

const LENGTH_MS = 5_000;

/** What waits, and writes down when it was told that its wait is over. */
function waitingFor(clock: FakeClock, name: number, over: [number, number][]): Waiting {
  return { waitOver: () => void over.push([name, clock.now()]) };
}

test('waits: each ends at its time, in order, with others in its place or nobody', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat({ max: 1_500 }) }),
    fc.record({ advance: fc.nat({ max: 7_000 }) }),
    fc.record({ take: fc.nat() }),
    fc.record({ replace: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const clock = new FakeClock(3);
      const queue = new WaitQueue(clock, LENGTH_MS);
      const over: [number, number][] = [];
      const expected: [number, number][] = [];
      let waiting: { name: number | null; due: number; place: number }[] = [];
      let names = 0;
      for (const each of steps) {
        const chosen = (n: number) => (waiting.length === 0 ? undefined : waiting[n % waiting.length]);
        if ('add' in each)
          for (let i = 0; i < each.add; i += 1) {
            const name = (names += 1);
            const place = queue.add(waitingFor(clock, name, over));
            waiting.push({ name, due: clock.now() + LENGTH_MS, place });
          }
        else if ('advance' in each) {
          clock.advance(each.advance);
          const isDue = ({ due }: { due: number }): boolean => due <= clock.now();
          for (const { name, due } of waiting.filter(isDue)) if (name !== null) expected.push([name, due]);
          waiting = waiting.filter((one) => !isDue(one));
        } else {
          const one = chosen('take' in each ? each.take : each.replace);
          if (one === undefined) continue;
          one.name = 'take' in each ? null : (names += 1);
          queue.put(one.place, one.name === null ? null : waitingFor(clock, one.name, over));
        }
      }
      assert.deepEqual(over, expected);
      clock.advance(LENGTH_MS);
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 60, seed: 11 },
  );
});

test('waits: one whose end throws keeps no other from its own', () => {
  const clock = new FakeClock();
  const queue = new WaitQueue(clock, LENGTH_MS);
  const over: [number, number][] = [];
  const fault = new Error('no');
  queue.add({
    waitOver() {
      throw fault;
    },
  });
  queue.add(waitingFor(clock, 2, over));
  assert.throws(() => clock.advance(LENGTH_MS), fault);
  clock.advance(0);
  assert.deepEqual(over, [[2, LENGTH_MS]]);
});

test('waits: one timer serves all of one length, and none is left when all are forgotten', () => {
  const clock = new FakeClock();
  const waits = new Waits(clock);
  const over: [number, number][] = [];
  for (const [i, ms] of [LENGTH_MS, 2 * LENGTH_MS, LENGTH_MS].entries())
    waits.ofLength(ms).add(waitingFor(clock, i, over));
  assert.equal(clock.pending, 2);
  clock.advance(LENGTH_MS);
  assert.deepEqual(over, [
    [0, LENGTH_MS],
    [2, LENGTH_MS],
  ]);
  waits.clear();
  assert.equal(clock.pending, 0);
  waits.ofLength(LENGTH_MS).add(waitingFor(clock, 3, over));
  clock.advance(LENGTH_MS);
  assert.deepEqual(over.at(-1), [3, 2 * LENGTH_MS]);
});
