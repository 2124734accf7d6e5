import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Admission, WINDOW_MS } from '../../core/proxy/admission.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

/** Work of one call, ms: a part when it is taken, the rest when its later messages come. */
const CALL_MS = 0.4;
const FIRST_PART_MS = 0.16;
const REST_AFTER_MS = 150;
/** Work of turning a call away, ACK included, ms. */
const REFUSAL_MS = 0.024;

/** Calls a second that the simulated processor can carry. */
const CAPACITY = 1000 / CALL_MS;

/** How long messages may wait, ms. */
const MAX_WAIT_MS = 50;

/** Messages that wait to be read, at most: what a socket's buffer holds. */
const MAX_WAITING = 2000;

type Message = 'first' | 'rest';

/** A processor that takes messages from a bounded queue, one millisecond of work in a millisecond. */
class Processor {
  readonly clock = new FakeClock();
  readonly admission: Admission;
  /** Calls carried through to their end. */
  #carried = 0;
  #refused = 0;
  #waiting: (Message | (() => void))[] = [];
  /** Work that has been begun, ms. */
  #begun = 0;
  #due = 0;

  constructor(maxWaitMs: number) {
    const probe = (read: () => void): void => this.#arrive(read);
    this.admission = new Admission({ clock: this.clock, probe, maxWaitMs });
  }

  /** Keeps the processor from its queue for a time, ms. */
  hold(ms: number): void {
    this.#begun += ms;
  }

  /** Offers calls at a rate for a time; `work` is what else the processor has to do each millisecond. */
  run(seconds: number, callsPerSecond: number, work = 0): { carried: number; refused: number } {
    this.#carried = this.#refused = 0;
    for (let ms = 0; ms < seconds * 1000; ms++) {
      this.#due += callsPerSecond / 1000;
      for (; this.#due >= 1; this.#due--) this.#arrive('first');
      this.#begun += work;
      this.#work();
      this.clock.advance(1);
    }
    return { carried: this.#carried, refused: this.#refused };
  }

  #arrive(message: Message | (() => void)): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message);
  }

  #work(): void {
    let taken = 0;
    for (; this.#begun < 1 && taken < this.#waiting.length; taken++) {
      this.#begun += this.#costOf(this.#waiting[taken] ?? 'rest');
    }
    this.#waiting = this.#waiting.slice(taken);
    this.#begun -= Math.min(1, this.#begun);
  }

  #costOf(message: Message | (() => void)): number {
    if (typeof message === 'function') {
      message();
      return 0;
    }
    if (message === 'rest') {
      this.#carried += 1;
      return CALL_MS - FIRST_PART_MS;
    }
    if (!this.admission.admit()) {
      this.#refused += 1;
      return REFUSAL_MS;
    }
    this.clock.setTimer(REST_AFTER_MS, () => this.#arrive('rest'));
    return FIRST_PART_MS;
  }
}

describe('admission of new requests', () => {
  it('turns nobody away below the capacity', () => {
    const processor = new Processor(MAX_WAIT_MS);
    assert.equal(processor.run(5, 0.98 * CAPACITY).refused, 0);
    assert.equal(processor.admission.rate, Number.POSITIVE_INFINITY);
  });

  for (const factor of [1.3, 2, 3]) {
    it(`at ${factor} times the capacity carries at least 95 % of what refusing leaves time for`, () => {
      const processor = new Processor(MAX_WAIT_MS);
      processor.run(2, factor * CAPACITY);
      const { carried, refused } = processor.run(8, factor * CAPACITY);
      const left = 1 - (refused / 8) * (REFUSAL_MS / 1000);
      assert.ok(carried / 8 >= 0.95 * left * CAPACITY, `${carried / 8} of ${CAPACITY * left} a second`);
    });
  }

  it('takes everything again within a second of the end of an overload', () => {
    const processor = new Processor(MAX_WAIT_MS);
    assert.ok(processor.run(5, 2 * CAPACITY).refused > 0);
    processor.run(1, 0.5 * CAPACITY);
    assert.equal(processor.run(5, 0.5 * CAPACITY).refused, 0);
    assert.equal(processor.admission.rate, Number.POSITIVE_INFINITY);
  });

  for (const share of [0.04, 0.5, 0.8]) {
    it(`takes a moment of waiting for no overload, at ${share} of the capacity`, () => {
      const processor = new Processor(MAX_WAIT_MS);
      processor.run(1, share * CAPACITY);
      processor.hold(4 * WINDOW_MS);
      assert.equal(processor.run(3, share * CAPACITY).refused, 0);
    });
  }

  for (const [seconds, work] of [
    [0.4, 0.75],
    [1, 0.6],
    [0.15, 1],
  ] as const) {
    it(`where no more arrives than was served well, turns nobody away for ${seconds} s that leave ${1 - work} of the processor`, () => {
      const processor = new Processor(MAX_WAIT_MS);
      processor.run(5, 0.5 * CAPACITY);
      assert.equal(processor.run(seconds, 0.5 * CAPACITY, work).refused, 0);
      assert.equal(processor.run(3, 0.5 * CAPACITY).refused, 0);
    });
  }

  it('turns calls away where no more arrives than was served well, and the processor stays slow', () => {
    const processor = new Processor(MAX_WAIT_MS);
    processor.run(5, 0.5 * CAPACITY);
    processor.run(2, 0.5 * CAPACITY, 0.7);
    const { carried, refused } = processor.run(8, 0.5 * CAPACITY, 0.7);
    const left = 0.3 - (refused / 8) * (REFUSAL_MS / 1000);
    assert.ok(refused > 0);
    assert.ok(carried / 8 >= 0.9 * left * CAPACITY, `${carried / 8} of ${CAPACITY * left} a second`);
  });

  for (const [share, pause] of [
    [0.5, 0],
    [0.9, 0],
    [0.9, 3],
  ] as const) {
    it(`turns calls away within half a second when twice the capacity follows on ${share} of it and ${pause} s of nothing`, () => {
      const processor = new Processor(MAX_WAIT_MS);
      processor.run(5, share * CAPACITY);
      processor.run(pause, 0);
      assert.ok(processor.run(0.46, 2 * CAPACITY).refused > 0);
    });
  }

  it('lets some through when what keeps the proxy busy are not new requests', () => {
    const processor = new Processor(MAX_WAIT_MS);
    const { carried, refused } = processor.run(10, 1000, 0.97);
    assert.ok(refused > 0);
    assert.ok(carried > 0);
  });

  it('takes everything when messages may wait as long as they like', () => {
    const processor = new Processor(0);
    assert.equal(processor.run(3, 2 * CAPACITY).refused, 0);
  });
});
