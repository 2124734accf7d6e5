import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Lanes } from '../../core/routing/lanes.ts';
import { deferred, settled } from '../registry/fixtures.ts';

function lanesOf(bounds: { perLane?: number; total?: number } = {}) {
  const failures: unknown[][] = [];
  const onError = (error: unknown, key: string): void => void failures.push([key, error]);
  return { lanes: new Lanes({ perLane: 100, total: 1_000, ...bounds, onError }), failures };
}

test('lanes: run a task at once, before run returns, when its lane is idle', () => {
  const { lanes } = lanesOf();
  let ran = false;
  assert.equal(
    lanes.run('a', () => {
      ran = true;
    }),
    true,
  );
  assert.equal(ran, true);
  assert.deepEqual([lanes.lanes, lanes.tasks], [0, 0]);
});

test('lanes: run the tasks of one key in the order in which they came', async () => {
  const { lanes } = lanesOf();
  const first = deferred();
  const order: string[] = [];
  lanes.run('a', async () => {
    await first.promise;
    order.push('first');
  });
  lanes.run('a', async () => {
    await settled();
    order.push('second');
  });
  lanes.run('a', () => void order.push('third'));
  await settled();
  assert.deepEqual(order, []);
  first.resolve();
  await settled();
  await settled();
  await settled();
  assert.deepEqual(order, ['first', 'second', 'third']);
});

test('lanes: tasks of different keys do not wait for each other', () => {
  const { lanes } = lanesOf();
  const order: string[] = [];
  lanes.run('a', () => new Promise<void>(() => undefined));
  lanes.run('b', () => void order.push('b'));
  assert.deepEqual(order, ['b']);
});

test('lanes: a task that a task adds to its own lane runs after it', () => {
  const { lanes } = lanesOf();
  const order: string[] = [];
  lanes.run('a', () => {
    lanes.run('a', () => void order.push('inner'));
    order.push('outer');
  });
  assert.deepEqual(order, ['outer', 'inner']);
  assert.deepEqual([lanes.lanes, lanes.tasks], [0, 0]);
});

test('lanes: go on behind a task that throws and one that rejects', async () => {
  const { lanes, failures } = lanesOf();
  const thrown = new Error('thrown');
  const rejected = new Error('rejected');
  let ran = false;
  lanes.run('a', () => Promise.reject(rejected));
  lanes.run('a', () => {
    throw thrown;
  });
  lanes.run('a', () => {
    ran = true;
  });
  await settled();
  assert.equal(ran, true);
  assert.deepEqual(failures, [
    ['a', rejected],
    ['a', thrown],
  ]);
  assert.deepEqual([lanes.lanes, lanes.tasks], [0, 0]);
});

test('lanes: refuse a task when as many wait in its lane as may', async () => {
  const { lanes } = lanesOf({ perLane: 2 });
  const first = deferred();
  const ran: number[] = [];
  const add = (n: number, task = (): unknown => ran.push(n)): boolean => lanes.run('a', task);
  assert.deepEqual([add(0, () => first.promise), add(1), add(2), add(3)], [true, true, true, false]);
  assert.equal(
    lanes.run('b', () => undefined),
    true,
  );
  first.resolve();
  await settled();
  assert.deepEqual(ran, [1, 2]);
  assert.equal(add(4), true);
});

test('lanes: refuse a task when there are as many in all lanes as may be', async () => {
  const { lanes } = lanesOf({ total: 3 });
  const gate = deferred();
  const add = (key: string): boolean => lanes.run(key, () => gate.promise);
  assert.deepEqual([add('a'), add('a'), add('b'), add('c')], [true, true, true, false]);
  assert.deepEqual([lanes.lanes, lanes.tasks], [2, 3]);
  gate.resolve();
  await settled();
  assert.deepEqual([lanes.lanes, lanes.tasks], [0, 0]);
  assert.equal(add('c'), true);
});

test('lanes: keep the order of each key whatever is mixed', async () => {
  const task = fc.record({ key: fc.constantFrom('a', 'b', 'c'), waits: fc.boolean(), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 30 }), async (tasks) => {
      const { lanes } = lanesOf();
      const begun: Record<string, number[]> = { a: [], b: [], c: [] };
      for (const [n, { key, waits, fails }] of tasks.entries()) {
        lanes.run(key, () => {
          begun[key]?.push(n);
          if (waits) return fails ? Promise.reject(new Error('no')) : Promise.resolve();
          if (fails) throw new Error('no');
          return undefined;
        });
      }
      await settled();
      for (const [key, numbers] of Object.entries(begun)) {
        const expected = [...tasks.entries()].filter(([, one]) => one.key === key).map(([n]) => n);
        assert.deepEqual(numbers, expected);
      }
      assert.deepEqual([lanes.lanes, lanes.tasks], [0, 0]);
    }),
    { numRuns: 50 },
  );
});
