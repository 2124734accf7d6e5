import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VALUE_BYTES, SWEEP_SLICE } from '../../../modules/htable/table.ts';
import { startHtable } from './rig.ts';

test('htable table: an item lives as long as autoexpire says after its last change, and is not to be seen after', async () => {
  const { pv, clock } = startHtable({ htable: 'a=>autoexpire=10' });
  await pv.$sht('a=>k').set('x');
  clock.advance(9000);
  assert.equal(await pv.$shtex('a=>k').get(), 1);
  await pv.$sht('a=>k').set('y');
  clock.advance(9999);
  assert.equal(await pv.$sht('a=>k').get(), 'y');
  clock.advance(1);
  assert.equal(await pv.$sht('a=>k').get(), null);
  assert.equal(await pv.$shtex('a=>k').get(), 0);
});

test('htable table: with updateexpire=0 an item ends when it would have ended', async () => {
  const { pv, clock } = startHtable({ htable: 'a=>autoexpire=10;updateexpire=0;initval=0' });
  assert.equal(await pv.$shtinc('a=>k').get(), 1);
  clock.advance(9999);
  assert.equal(await pv.$shtinc('a=>k').get(), 2);
  await pv.$sht('a=>k').set(7);
  clock.advance(1);
  assert.equal(await pv.$shtinc('a=>k').get(), 1);
});

test('htable table: $shtex changes the lifetime, and a later change gives back that of the table', async () => {
  const { pv, clock } = startHtable({ htable: ['a=>autoexpire=10', 'b'] });
  await pv.$sht('a=>k').set(1);
  assert.equal(await pv.$shtex('a=>k').set(100), 'touched');
  assert.equal(await pv.$shtex('a=>k').get(), 100);
  await pv.$sht('a=>k').set(2);
  assert.equal(await pv.$shtex('a=>k').get(), 10);
  await pv.$shtex('a=>k').set(0);
  clock.advance(1_000_000);
  assert.deepEqual([await pv.$sht('a=>k').get(), await pv.$shtex('a=>k').get()], [2, 0]);
  assert.equal(await pv.$shtex('a=>nothing').set(5), 'missing');
  // A table without autoexpire: the item keeps what it was given.
  await pv.$sht('b=>k').set(1);
  await pv.$shtex('b=>k').set(5);
  await pv.$sht('b=>k').set(2);
  clock.advance(5000);
  assert.equal(await pv.$sht('b=>k').get(), null);
});

test('htable table: one item more than it takes is refused, said once, and one that ends or goes makes room', async () => {
  const { pv, state, clock, log } = startHtable({
    htable: 'a=>max_items=3;autoexpire=100',
    timer_interval: 3600,
  });
  for (const key of ['1', '2', '3']) assert.equal(await pv.$sht(`a=>${key}`).set(key), 'stored');
  assert.equal(await pv.$sht('a=>4').set('x'), 'down');
  assert.equal(await pv.$sht('a=>5').set('x'), 'down');
  const outcome = await state.store('test', 'a').write('4', 'x');
  assert.deepEqual(outcome, { status: 'down', reason: 'the table a is full: it has 3 items' });
  assert.equal(await pv.$sht('a=>2').set('changed'), 'stored');
  await pv.$sht('a=>1').set(null);
  assert.equal(await pv.$sht('a=>4').set('x'), 'stored');
  // Items that are over make room though the timer has not come.
  clock.advance(100_000);
  for (const key of ['6', '7', '8']) assert.equal(await pv.$sht(`a=>${key}`).set('x'), 'stored');
  const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  assert.deepEqual(warnings, [
    'the table a is full: it has 3 items; new ones are refused. Said once until there is room.',
  ]);
});

test('htable table: keys and values take no more bytes than max_bytes', async () => {
  const { pv, state } = startHtable({ htable: 'a', max_bytes: 2000 });
  const table = state.table('test', 'a');
  const half = 'x'.repeat(850);
  for (const key of ['1', '2']) assert.equal(await pv.$sht(`a=>${key}`).set(half), 'stored');
  assert.equal(table.bytes, 2 * (100 + 1 + 850));
  assert.equal(await pv.$sht('a=>3').set('x'), 'down');
  assert.equal(await pv.$sht('a=>1').set(`${half}${half}`), 'down');
  assert.equal(await pv.$sht('a=>1').set('short'), 'stored');
  assert.equal(await pv.$sht('a=>3').set('x'), 'stored');
  for (const key of ['1', '2', '3']) await pv.$sht(`a=>${key}`).set(null);
  assert.deepEqual([table.size, table.bytes], [0, 0]);
});

test('htable table: a value that is too large is refused, and the old one stays', async () => {
  const { pv, state } = startHtable({ htable: 'a' });
  await pv.$sht('a=>k').set('old');
  assert.equal(await pv.$sht('a=>k').set('x'.repeat(MAX_VALUE_BYTES)), 'stored');
  await pv.$sht('a=>k').set('old');
  const outcome = await state.store('test', 'a').write('k', 'ä'.repeat(MAX_VALUE_BYTES / 2) + 'x');
  assert.deepEqual(outcome, { status: 'too-large', size: MAX_VALUE_BYTES + 1, limit: MAX_VALUE_BYTES });
  assert.equal(await pv.$sht('a=>k').get(), 'old');
});

test('htable table: one timer clears away what is over, a slice at a time, and stops with the module', () => {
  const { state, clock } = startHtable({ htable: 'a=>autoexpire=10', timer_interval: 20 });
  const table = state.table('test', 'a');
  const items = SWEEP_SLICE + 5;
  for (let i = 0; i < items; i++) table.set(`k${i}`, i);
  table.set('stays', 1, Number.POSITIVE_INFINITY);
  assert.equal(clock.pending, 1);
  clock.advance(20_000);
  assert.equal(table.size, items + 1 - SWEEP_SLICE);
  clock.advance(100);
  assert.equal(table.size, 1);
  assert.equal(clock.pending, 1);
  state.stop();
  assert.equal(clock.pending, 0);
});
