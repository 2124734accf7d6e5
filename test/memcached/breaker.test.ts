import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Breaker,
  BREAKER_TRANSITIONS,
  type BreakerState,
  PROBE_MAX_MS,
  PROBE_MIN_MS,
  PROBE_REFUSED_MS,
  STABLE_MS,
} from '../../modules/memcached/breaker.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

class Rig {
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  readonly breaker = new Breaker(this.clock, {
    probe: () => void this.events.push('probe'),
    opened: (reason) => void this.events.push(`opened: ${reason}`),
    closed: () => void this.events.push('closed'),
  });

  /** Brings it to a state, and forgets how. */
  in(state: BreakerState): this {
    if (state !== 'closed') this.breaker.failed('first');
    if (state === 'probing') this.clock.advance(PROBE_MIN_MS);
    this.events.length = 0;
    assert.equal(this.breaker.state, state);
    return this;
  }
}

test('breaker: closed and a failure: opens, says so, and waits to probe', () => {
  const { breaker, events, clock } = new Rig().in('closed');
  breaker.failed('refused');
  assert.deepEqual(
    [breaker.state, events, clock.pending, breaker.reason],
    ['open', ['opened: refused'], 1, 'refused'],
  );
});

test('breaker: closed and a success: stays, silent', () => {
  const { breaker, events, clock } = new Rig().in('closed');
  breaker.succeeded();
  assert.deepEqual([breaker.state, events, clock.pending], ['closed', [], 0]);
});

test('breaker: open and a failure: stays, silent, no second wait', () => {
  const { breaker, events, clock } = new Rig().in('open');
  breaker.failed('again');
  assert.deepEqual([breaker.state, events, clock.pending], ['open', [], 1]);
});

test('breaker: open and a late success: stays until a probe has shown it', () => {
  const { breaker, events } = new Rig().in('open');
  breaker.succeeded();
  assert.deepEqual([breaker.state, events], ['open', []]);
});

test('breaker: open and the wait is over: one probe', () => {
  const { breaker, events, clock } = new Rig().in('open');
  clock.advance(PROBE_MIN_MS);
  assert.deepEqual([breaker.state, events, clock.pending], ['probing', ['probe'], 0]);
});

test('breaker: probing and a failure: open again, silent, waits twice as long', () => {
  const { breaker, events, clock } = new Rig().in('probing');
  breaker.failed('still');
  assert.deepEqual([breaker.state, events], ['open', []]);
  clock.advance(2 * PROBE_MIN_MS - 1);
  assert.deepEqual(events, []);
  clock.advance(1);
  assert.deepEqual(events, ['probe']);
});

test('breaker: probing and a success: closed, and says so', () => {
  const { breaker, events, clock } = new Rig().in('probing');
  breaker.succeeded();
  assert.deepEqual([breaker.state, events, clock.pending], ['closed', ['closed'], 0]);
});

test('breaker: a probe that falls due while closed or probing changes nothing', () => {
  for (const state of ['closed', 'probing'] as const) {
    assert.deepEqual(BREAKER_TRANSITIONS[state].probeDue, [state, 'none']);
  }
});

test('breaker: the wait doubles up to its bound', () => {
  const { breaker, events, clock } = new Rig().in('open');
  const waits: number[] = [];
  for (let i = 0; i < 7; i++) {
    const from = clock.now();
    const probes = events.length;
    while (events.length === probes) clock.advance(10);
    waits.push(clock.now() - from);
    breaker.failed('still');
  }
  assert.deepEqual(waits, [100, 200, 400, 800, PROBE_MAX_MS, PROBE_MAX_MS, PROBE_MAX_MS]);
});

test('breaker: a server that fails again soon is probed less often; one that was well for long, at once', () => {
  for (const [wellMs, waitMs] of [
    [STABLE_MS - 1, 200],
    [STABLE_MS, 100],
  ] as const) {
    const { breaker, events, clock } = new Rig().in('probing');
    breaker.succeeded();
    clock.advance(wellMs);
    breaker.failed('again');
    events.length = 0;
    clock.advance(waitMs - 1);
    assert.deepEqual(events, []);
    clock.advance(1);
    assert.deepEqual(events, ['probe']);
  }
});

test('breaker: stopped, it does not probe', () => {
  const { breaker, events, clock } = new Rig().in('open');
  breaker.stop();
  clock.advance(10 * PROBE_MAX_MS);
  assert.deepEqual([events, clock.pending], [[], 0]);
});

test('breaker: a server that refuses this client is probed slowly, and as usual once it fails otherwise', () => {
  const { breaker, events, clock } = new Rig().in('closed');
  breaker.failed('wrong password', true);
  clock.advance(PROBE_REFUSED_MS - 1);
  assert.deepEqual(events, ['opened: wrong password']);
  clock.advance(1);
  breaker.failed('gone');
  clock.advance(PROBE_MAX_MS);
  assert.deepEqual(events, ['opened: wrong password', 'probe', 'probe']);
});
