import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type TimeSource, TimerWheel } from '../core/timer-wheel.ts';
import { FakeClock } from '../core/testing/fake-clock.ts';

function rethrow(error: unknown): never {
  throw error;
}

/** A wheel on a clock that the test moves, and the time at which each named timer fired. */
function wheelWithLog() {
  const source = new FakeClock(1_234.5);
  const wheel = new TimerWheel({ source, onError: rethrow });
  const fired: [name: string, atMs: number][] = [];
  const note = (name: string) => () => void fired.push([name, source.now() - 1_234.5]);
  return { source, wheel, fired, note };
}

/** A source whose time and wake-ups the test gives one by one, as a loop that stalls or wakes too early does. */
class ManualSource implements TimeSource {
  time = 0;
  wake: (() => void) | null = null;
  now(): number {
    return this.time;
  }
  setTimer(_delayMs: number, fire: () => void) {
    this.wake = fire;
    return { cancel: () => void (this.wake = null) };
  }
  /** Calls what is set, at `timeMs`. */
  wakeAt(timeMs: number): void {
    this.time = timeMs;
    const wake = this.wake;
    assert.ok(wake !== null, 'the wheel set no timer');
    this.wake = null;
    wake();
  }
}

test('timer wheel: fires not before the delay has passed, and within a tick after it', () => {
  const delays = fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(delays, fc.double({ min: 0, max: 30, noNaN: true }), (delaysMs, offsetMs) => {
      const source = new FakeClock();
      const wheel = new TimerWheel({ source, onError: rethrow });
      source.advance(offsetMs);
      const firedAt = new Map<number, number>();
      delaysMs.forEach((delayMs, i) =>
        wheel.setTimer(delayMs, () => firedAt.set(i, source.now() - offsetMs)),
      );
      source.advance(201_000);
      delaysMs.forEach((delayMs, i) => {
        const at = firedAt.get(i) ?? Number.NaN;
        // 1e-6: the sums are floating point.
        assert.ok(at >= delayMs - 1e-6 && at <= delayMs + 21, `delay ${delayMs} fired at ${at}`);
      });
      assert.equal(wheel.pending, 0);
      assert.equal(source.pending, 0);
    }),
  );
});

test('timer wheel: fires a timer once', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(500, note('a'));
  source.advance(200_000);
  assert.deepEqual(fired, [['a', 500]]);
});

test('timer wheel: fires a timer of several turns in its own turn', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(40_960 * 3 + 100, note('third turn'));
  wheel.setTimer(100, note('first turn'));
  source.advance(40_960 * 3 + 99);
  assert.deepEqual(fired, [['first turn', 100]]);
  source.advance(1);
  assert.deepEqual(fired.slice(1), [['third turn', 40_960 * 3 + 100]]);
});

test('timer wheel: does not fire a cancelled timer', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  const cancelled = wheel.setTimer(50, note('cancelled'));
  wheel.setTimer(50, note('kept'));
  cancelled.cancel();
  source.advance(1_000);
  assert.deepEqual(fired, [['kept', 50]]);
});

test('timer wheel: cancelling twice, or after firing, changes nothing', () => {
  const { source, wheel } = wheelWithLog();
  const first = wheel.setTimer(50, () => {});
  const second = wheel.setTimer(90, () => {});
  first.cancel();
  first.cancel();
  assert.equal(wheel.pending, 1);
  source.advance(100);
  second.cancel();
  assert.equal(wheel.pending, 0);
});

test('timer wheel: a timer may cancel another that is due at the same tick', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(50, () => other.cancel());
  const other = wheel.setTimer(50, note('other'));
  wheel.setTimer(50, note('last'));
  source.advance(1_000);
  assert.deepEqual(fired, [['last', 50]]);
  assert.equal(wheel.pending, 0);
});

test('timer wheel: a timer set while another fires is counted from then', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(500, () => wheel.setTimer(1_000, note('second')));
  source.advance(10_000);
  assert.deepEqual(fired, [['second', 1_500]]);
});

test('timer wheel: a timer of no delay set while firing waits for the next tick', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(20, () => wheel.setTimer(0, note('next')));
  source.advance(1_000);
  assert.deepEqual(fired, [['next', 30]]);
});

for (const delayMs of [0, -5, Number.NaN, Number.NEGATIVE_INFINITY]) {
  test(`timer wheel: takes a delay of ${delayMs} as none`, () => {
    const { source, wheel, fired, note } = wheelWithLog();
    wheel.setTimer(delayMs, note('a'));
    assert.deepEqual(fired, []);
    source.advance(10);
    assert.deepEqual(fired, [['a', 10]]);
  });
}

test('timer wheel: a delay without end never fires and asks the source for no more than a turn', () => {
  const longest: number[] = [];
  const source = new FakeClock();
  const spy: TimeSource = {
    now: () => source.now(),
    setTimer: (delayMs, fire) => (longest.push(delayMs), source.setTimer(delayMs, fire)),
  };
  const wheel = new TimerWheel({ source: spy, onError: rethrow });
  wheel.setTimer(Number.POSITIVE_INFINITY, () => assert.fail('fired'));
  source.advance(1_000_000);
  assert.equal(wheel.pending, 1);
  assert.ok(Math.max(...longest) <= 40_960);
});

test('timer wheel: reports what a callback throws and fires the others', () => {
  const source = new FakeClock();
  const reported: unknown[] = [];
  const wheel = new TimerWheel({ source, onError: (error) => reported.push(error) });
  const fault = new Error('from the callback');
  const fired: string[] = [];
  wheel.setTimer(50, () => fired.push('before'));
  wheel.setTimer(50, () => {
    throw fault;
  });
  wheel.setTimer(50, () => fired.push('after'));
  wheel.setTimer(500, () => fired.push('later'));
  source.advance(1_000);
  assert.deepEqual(reported, [fault]);
  assert.deepEqual(fired, ['before', 'after', 'later']);
});

test('timer wheel: after a stall fires all that is due, in order of their ticks', () => {
  const source = new ManualSource();
  const wheel = new TimerWheel({ source, onError: rethrow });
  const fired: number[] = [];
  const delaysMs = [90_000, 30, 500, 41_000, 20, 500.5, 99_990, 1_000];
  for (const delayMs of delaysMs) wheel.setTimer(delayMs, () => fired.push(delayMs));
  wheel.setTimer(100_011, () => fired.push(100_011));
  source.wakeAt(100_000);
  assert.deepEqual(
    fired,
    delaysMs.toSorted((a, b) => a - b),
  );
  assert.equal(wheel.pending, 1);
});

test('timer wheel: a timer set after a stall, before the wheel wakes, waits its whole delay', () => {
  const source = new ManualSource();
  const wheel = new TimerWheel({ source, onError: rethrow });
  const fired: string[] = [];
  wheel.setTimer(20, () => fired.push('old'));
  source.time = 5_000;
  wheel.setTimer(500, () => fired.push('new'));
  source.wakeAt(5_001);
  assert.deepEqual(fired, ['old']);
  source.wakeAt(5_499);
  assert.deepEqual(fired, ['old']);
  source.wakeAt(5_500);
  assert.deepEqual(fired, ['old', 'new']);
});

test('timer wheel: a wheel woken too early waits again', () => {
  const source = new ManualSource();
  const wheel = new TimerWheel({ source, onError: rethrow });
  let fired = 0;
  wheel.setTimer(50, () => (fired += 1));
  source.wakeAt(49.2);
  assert.equal(fired, 0);
  source.wakeAt(50.1);
  assert.equal(fired, 1);
});

test('timer wheel: a timer due earlier than all others moves the wake-up forward', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(30_000, note('late'));
  wheel.setTimer(500, note('early'));
  assert.equal(source.pending, 1);
  source.advance(500);
  assert.deepEqual(fired, [['early', 500]]);
});

test('timer wheel: has one timer of its source while timers are set, and none otherwise', () => {
  const { source, wheel } = wheelWithLog();
  assert.equal(source.pending, 0);
  const timers = Array.from({ length: 1_000 }, (_, i) => wheel.setTimer(i * 37, () => {}));
  assert.equal(source.pending, 1);
  for (const timer of timers) timer.cancel();
  assert.equal(source.pending, 0);
  assert.equal(wheel.pending, 0);
});

test('timer wheel: sleeps over ticks that have no timer', () => {
  let wakes = 0;
  const source = new FakeClock();
  const spy: TimeSource = {
    now: () => source.now(),
    setTimer: (delayMs, fire) => ((wakes += 1), source.setTimer(delayMs, fire)),
  };
  const wheel = new TimerWheel({ source: spy, onError: rethrow });
  wheel.setTimer(32_000, () => {});
  source.advance(40_000);
  assert.equal(wakes, 1);
});

test('timer wheel: after hours without timers sleeps until the next one is due', () => {
  const delaysMs: number[] = [];
  const source = new FakeClock();
  const spy: TimeSource = {
    now: () => source.now(),
    setTimer: (delayMs, fire) => (delaysMs.push(delayMs), source.setTimer(delayMs, fire)),
  };
  const wheel = new TimerWheel({ source: spy, onError: rethrow });
  source.advance(10_000_000);
  wheel.setTimer(500, () => {});
  source.advance(500);
  assert.deepEqual(delaysMs, [500]);
  assert.equal(wheel.pending, 0);
});

test('timer wheel: close drops what is set and what is set later', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(50, note('before'));
  wheel.close();
  wheel.setTimer(50, note('after')).cancel();
  wheel.setTimer(50, note('after'));
  source.advance(1_000);
  assert.deepEqual(fired, []);
  assert.equal(wheel.pending, 0);
  assert.equal(source.pending, 0);
});

test('timer wheel: close called from a timer drops the others due at that tick', () => {
  const { source, wheel, fired, note } = wheelWithLog();
  wheel.setTimer(50, () => wheel.close());
  wheel.setTimer(50, note('other'));
  source.advance(1_000);
  assert.deepEqual(fired, []);
  assert.equal(source.pending, 0);
});

test('timer wheel: calls a function with the owner of the timer', () => {
  const { source, wheel, fired } = wheelWithLog();
  const own = (owner: { name: string }): void => void fired.push([owner.name, source.now() - 1_234.5]);
  wheel.setTimerFor({ name: 'a' }, 50, own);
  wheel.setTimerFor({ name: 'b' }, 70, own).cancel();
  wheel.setTimerFor({ name: 'c' }, 90, own);
  source.advance(1_000);
  assert.deepEqual(fired, [
    ['a', 50],
    ['c', 90],
  ]);
});

test('timer wheel: runs on the process clock by default', async () => {
  const wheel = new TimerWheel({ onError: rethrow });
  const start = wheel.now();
  await new Promise<void>((resolve) => wheel.setTimer(25, resolve));
  assert.ok(wheel.now() - start >= 25);
  wheel.close();
});
