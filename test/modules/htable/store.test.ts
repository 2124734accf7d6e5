import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../modules/htable/store.ts';
import { startHtable } from './rig.ts';

function storeOf(definition = 'a'): {
  readonly store: Store;
  readonly clock: ReturnType<typeof startHtable>['clock'];
} {
  const { state, clock } = startHtable({ htable: definition });
  return { store: state.store('test', 'a'), clock };
}

test('htable store: counts as memcached does: it stops at 0, wraps at 2^64, and leaves the lifetime alone', async () => {
  const { store, clock } = storeOf('a=>autoexpire=1000;initval=5');
  assert.deepEqual(await store.increment('k', 1), { status: 'missing' });
  assert.deepEqual(await store.count('k').add(2, { initial: 1, expire: 10 }), { status: 'done', value: 3 });
  clock.advance(9999);
  assert.deepEqual(await store.count('k').add(2, { initial: 1 }), { status: 'done', value: 5 });
  assert.deepEqual(await store.decrement('k', 7n), { status: 'done', value: 0 });
  assert.deepEqual(await store.increment('k', 2n ** 64n - 1n), { status: 'done', value: 2n ** 64n - 1n });
  assert.deepEqual(await store.increment('k', 3), { status: 'done', value: 2 });
  clock.advance(1);
  assert.deepEqual(await store.read('k'), { status: 'miss' });
});

test('htable store: text is not counted', async () => {
  const { store } = storeOf();
  for (const value of ['text', '7', -1]) {
    await store.write('k', value);
    for (const outcome of [await store.increment('k', 1), await store.count('k').add(1)]) {
      assert.deepEqual(outcome, { status: 'not-a-number' }, String(value));
    }
    assert.deepEqual(await store.read('k'), { status: 'hit', value });
  }
});

test('htable store: a lifetime is seconds up to 30 days, a Unix time above, and 0 for ever', async () => {
  const { store, clock } = storeOf('a=>autoexpire=10');
  await store.write('default', 1);
  await store.write('ever', 1, { expire: 0 });
  await store.write('unix', 1, { expire: Math.ceil(Date.now() / 1000) + 1000 });
  await store.write('touched', 1);
  assert.deepEqual(await store.touch('touched', 2_592_000), { status: 'touched' });
  assert.deepEqual(await store.touch('none', 5), { status: 'missing' });
  const there = async (): Promise<readonly string[]> => {
    const keys = ['default', 'ever', 'unix', 'touched'];
    const read = await Promise.all(keys.map((key) => store.read(key)));
    return keys.filter((_, index) => read[index]?.status === 'hit');
  };
  clock.advance(10_000);
  assert.deepEqual(await there(), ['ever', 'unix', 'touched']);
  clock.advance(991_000);
  assert.deepEqual(await there(), ['ever', 'touched']);
  clock.advance(2_592_000_000);
  assert.deepEqual(await there(), ['ever']);
  for (const expire of [-1, 1.5, 2_147_483_648, 2_592_001]) {
    await assert.rejects(store.write('k', 1, { expire }), { code: 'ERR_HTABLE_VALUE' }, String(expire));
  }
});

test('htable store: what was aborted before is not done', async () => {
  const { store } = storeOf();
  const options = { signal: AbortSignal.abort() };
  await store.write('k', 1);
  const aborted = { status: 'down', reason: 'aborted' };
  for (const outcome of [
    await store.read('k', options),
    await store.write('k', 2, options),
    await store.increment('k', 1, options),
    await store.decrement('k', 1, options),
    await store.count('k').add(1, options),
    await store.touch('k', 1, options),
    await store.remove('k', options),
  ]) {
    assert.deepEqual(outcome, aborted);
  }
  assert.deepEqual(await store.read('k'), { status: 'hit', value: 1 });
});

test('htable store: steps and values that cannot be are refused', async () => {
  const { store } = storeOf();
  await store.write('k', 1);
  for (const n of [-1, 1.5, 2n ** 64n, Number.NaN]) {
    await assert.rejects(store.increment('k', n), { code: 'ERR_HTABLE_VALUE' }, String(n));
    await assert.rejects(store.count('k').add(n), { code: 'ERR_HTABLE_VALUE' }, String(n));
  }
  await assert.rejects(store.write('k', 1.5), { code: 'ERR_HTABLE_VALUE' });
  assert.deepEqual(await store.read('k'), { status: 'hit', value: 1 });
});
