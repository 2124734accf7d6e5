import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHtable } from './rig.ts';

/** A value that the types do not allow: routes in plain JavaScript pass such. */
function anything(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the point
  return value as never;
}

test('htable variables: what is stored is read, of its own kind, until it is removed', async () => {
  const { pv } = startHtable({ htable: ['a', 'b'] });
  for (const value of ['text', '7', '', 7, -7, 2n ** 60n]) {
    assert.equal(await pv.$sht('a=>k').set(value), 'stored');
    assert.equal(await pv.$sht('a=>k').get(), value);
  }
  assert.equal(await pv.$sht('b=>k').get(), null);
  assert.equal(await pv.$sht('a=>k').set(null), 'removed');
  assert.equal(await pv.$sht('a=>k').set(null), 'missing');
  assert.equal(await pv.$sht('a=>k').get(), null);
});

test('htable variables: counting starts from initval, goes below 0, and creates nothing without it', async () => {
  const { pv } = startHtable({ htable: ['a=>initval=5', 'b'] });
  assert.equal(await pv.$sht('a=>k').get(), 5);
  assert.equal(await pv.$shtcn('a=>**').get(), 0);
  assert.equal(await pv.$shtinc('a=>k').get(), 6);
  assert.equal(await pv.$sht('a=>k').get(), 6);
  for (let i = 0; i < 7; i++) await pv.$shtdec('a=>k').get();
  assert.equal(await pv.$shtdec('a=>k').get(), -2);
  assert.equal(await pv.$shtinc('b=>k').get(), null);
  assert.equal(await pv.$shtcn('b=>**').get(), 0);
  await pv.$sht('b=>k').set('7');
  assert.equal(await pv.$shtinc('b=>k').get(), null);
  assert.equal(await pv.$sht('b=>k').get(), '7');
  await pv.$sht('b=>k').set(2n ** 60n);
  assert.equal(await pv.$shtinc('b=>k').get(), 2n ** 60n + 1n);
});

test('htable variables: in a template the constant parts name variables; what stands in it is taken as it is', async () => {
  const { pv } = startHtable({ htable: ['a', 'b'] }, { $ci: 'c1', $si: '192.0.2.1' });
  await pv.$sht`a=>call::$ci/${'$si=>b'}`.set('template');
  assert.equal(await pv.$sht('a=>call::c1/$si=>b').get(), 'template');
  await pv.$sht('a=>$ci').set('plain');
  assert.equal(await pv.$sht`a=>${'$ci'}`.get(), 'plain');
  await pv.$sht`a=>${1}${2n}`.set('numbers');
  assert.equal(await pv.$sht('a=>12').get(), 'numbers');
});

test('htable variables: a key is all that follows the first mark, and a table may have blanks around it', async () => {
  const { pv } = startHtable({ htable: 'a' });
  await pv.$sht(' a =>=>k ').set('x');
  assert.equal(await pv.$sht('a=>=>k ').get(), 'x');
  assert.equal(await pv.$sht('a=>').get(), null);
});

test('htable variables: what is no name of an item is an error, and so is what no item can hold', async () => {
  const { pv } = startHtable({ htable: ['a', 'b'] }, { $ci: 'c1' });
  const name = { code: 'ERR_HTABLE_NAME' };
  await assert.rejects(pv.$sht('k').get(), { ...name, message: /\$sht: expected table=>key, found "k"/ });
  await assert.rejects(pv.$sht('c=>k').get(), { ...name, message: /no table "c": there are a, b/ });
  await assert.rejects(pv.$sht`${'a=>'}k`.get(), name);
  await assert.rejects(pv.$sht`a=>${anything(null)}`.get(), { ...name, message: /found null/ });
  await assert.rejects(pv.$sht(anything(7)).get(), name);
  const value = { code: 'ERR_HTABLE_VALUE' };
  await assert.rejects(pv.$sht('a=>k').set(1.5), { ...value, message: /\$sht: the value: .*found 1.5/ });
  await assert.rejects(pv.$sht('a=>k').set(anything(true)), value);
  await assert.rejects(pv.$shtex('a=>k').set(anything('5')), value);
  await assert.rejects(startHtable({}).pv.$sht('a=>k').get(), { ...name, message: /none is defined/ });
});

test('htable variables: $shtcn and $shtcv count what a condition holds of', async () => {
  const { pv, clock } = startHtable({ htable: 'a=>autoexpire=10' });
  for (const [key, value] of [
    ['over', 'red'],
    ['call::1', 'Red'],
    ['call::2', 'green'],
    ['ring::1', 5],
    ['ring::2', '5'],
  ] as const) {
    await pv.$sht(`a=>${key}`).set(value);
    if (key === 'over') clock.advance(9999);
  }
  clock.advance(1);
  const names = ['**', '~~^CALL', '^call', '~%::1', '%~ring', '==call::1', '==CALL::1', '==', ''];
  const counts = await Promise.all(names.map((condition) => pv.$shtcn(`a=>${condition}`).get()));
  assert.deepEqual(counts, [4, 2, 2, 2, 2, 1, 0, 0, 0]);
  const values = ['**', '~~^red$', 'e', '~%n', '%~R', '==5', 'eq5', 'eq6'];
  const found = await Promise.all(values.map((condition) => pv.$shtcv(`a=>${condition}`).get()));
  assert.deepEqual(found, [4, 1, 2, 1, 1, 1, 1, 0]);
  await assert.rejects(pv.$shtcn('a=>~~(').get(), { code: 'ERR_REGEX_SYNTAX' });
});
