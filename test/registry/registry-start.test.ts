import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyErrors } from '../../core/errors.ts';
import type { AnyModule } from '../../core/registry/module.ts';
import { deferred, load, moduleOf, settled, withoutPlace } from './fixtures.ts';

const LIMIT = { timeoutMs: 1_000 };

/** Modules a, b, c, each depending on the one before, that note what is called. */
function chain(parts: Readonly<Record<string, Partial<AnyModule>>> = {}) {
  const calls: string[] = [];
  const modules = ['a', 'b', 'c'].map((name, i, all) =>
    moduleOf(name, {
      depends: all.slice(Math.max(0, i - 1), i),
      start: () => void calls.push(`start ${name}`),
      stop: async () => void calls.push(`stop ${name}`),
      ...parts[name],
    }),
  );
  return { calls, ...load(modules.toReversed()) };
}

const hang = () => new Promise<void>(() => undefined);

test('start: starts each module after those it depends on, one at a time', async () => {
  const { promise, resolve } = deferred();
  const { registry, calls } = chain({
    b: { start: () => promise },
  });
  const starting = registry.start(LIMIT);
  await settled();
  assert.deepEqual(calls, ['start a']);
  resolve();
  await starting;
  assert.deepEqual(calls, ['start a', 'start c']);
});

test('start: gives each module its own state', async () => {
  const states: unknown[] = [];
  const { registry } = load([
    moduleOf('a', { init: () => 'of a', start: (state) => void states.push(state) }),
    moduleOf('b', { init: () => 'of b', start: (state) => void states.push(state) }),
  ]);
  await registry.start(LIMIT);
  assert.deepEqual(states, ['of a', 'of b']);
});

for (const [how, start] of [
  ['throws', () => assert.fail('no route to host')],
  ['rejects', () => Promise.reject(new Error('no route to host'))],
] as const) {
  test(`start: stops what had started, in reverse order, when a start ${how}`, async () => {
    const { registry, calls, clock } = chain({ c: { start } });
    await assert.rejects(registry.start(LIMIT), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_MODULE_START');
      assert.equal(withoutPlace(error.message), "module 'c' could not be started: no route to host");
      assert.ok(error.cause instanceof Error);
      return true;
    });
    assert.deepEqual(calls, ['start a', 'start b', 'stop b', 'stop a']);
    assert.equal(clock.pending, 0);
  });
}

test('start: gives up a module that takes longer than the limit, and stops it when it starts after all', async () => {
  const { promise, resolve } = deferred();
  const { registry, calls, clock } = chain({
    b: { start: () => promise },
  });
  const starting = assert.rejects(registry.start(LIMIT), {
    code: 'ERR_MODULE_START',
    message: "module 'b' could not be started: it took longer than 1000 ms",
  });
  await settled();
  clock.advance(999);
  await settled();
  assert.deepEqual(calls, ['start a']);
  clock.advance(1);
  await starting;
  assert.deepEqual(calls, ['start a', 'stop a']);
  resolve();
  await settled();
  assert.deepEqual(calls, ['start a', 'stop a', 'stop b']);
});

test('start: logs a module that cannot be stopped while a failed start is undone', async () => {
  const { registry, log } = chain({
    a: { stop: () => Promise.reject(new Error('stuck')) },
    b: { start: () => Promise.reject(new Error('no')) },
  });
  await assert.rejects(registry.start(LIMIT), { code: 'ERR_MODULE_START' });
  assert.deepEqual(
    log.lines.map(({ level, message }) => [level, withoutPlace(message)]),
    [['error', "module 'a' could not be stopped: stuck"]],
  );
});

test('start: is done once, however often it is asked for', async () => {
  const { registry, calls } = chain();
  await Promise.all([registry.start(LIMIT), registry.start(LIMIT)]);
  assert.deepEqual(calls, ['start a', 'start b', 'start c']);
});

test('stop: stops in reverse order, and once', async () => {
  const { registry, calls } = chain();
  await registry.start(LIMIT);
  calls.length = 0;
  await registry.stop(LIMIT);
  await registry.stop(LIMIT);
  assert.deepEqual(calls, ['stop c', 'stop b', 'stop a']);
});

test('stop: does nothing when nothing was started', async () => {
  const { registry, calls } = chain();
  await registry.stop(LIMIT);
  assert.deepEqual(calls, []);
});

test('stop: goes on behind a module that fails and one that hangs, and reports both', async () => {
  const { registry, calls, clock } = chain({
    c: { stop: () => Promise.reject(new Error('stuck')) },
    b: { stop: hang },
  });
  await registry.start(LIMIT);
  const stopping = assert.rejects(registry.stop(LIMIT), (error) => {
    assert.ok(error instanceof ProxyErrors);
    assert.deepEqual(
      error.errors.map(({ code, message }) => `${code}: ${withoutPlace(message)}`),
      [
        "ERR_MODULE_STOP: module 'c' could not be stopped: stuck",
        "ERR_MODULE_STOP: module 'b' could not be stopped: it took longer than 1000 ms",
      ],
    );
    return true;
  });
  await settled();
  clock.advance(1_000);
  await stopping;
  assert.equal(calls.at(-1), 'stop a');
});

test('stop: interrupts a start that is going on', async () => {
  const { promise, resolve } = deferred();
  const { registry, calls } = chain({
    b: { start: () => promise },
  });
  const starting = assert.rejects(registry.start(LIMIT), {
    code: 'ERR_MODULE_START',
    message: "module 'c' could not be started: the proxy is being stopped",
  });
  await settled();
  const stopping = registry.stop(LIMIT);
  resolve();
  await Promise.all([starting, stopping]);
  assert.deepEqual(calls, ['start a', 'stop b', 'stop a']);
});
