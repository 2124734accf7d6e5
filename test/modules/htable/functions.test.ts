import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htable } from '../../../modules/htable/htable.ts';
import { type Rig, startHtable } from './rig.ts';

const fn = htable.functions;

async function filled(): Promise<Rig> {
  const rig = startHtable({ htable: 'a' });
  for (const [key, value] of [
    ['call::1', 'red'],
    ['call::2', 'green'],
    ['ring::1', 5],
  ] as const) {
    await rig.pv.$sht(`a=>${key}`).set(value);
  }
  return rig;
}

function keysOf({ state }: Rig): string[] {
  return [...state.table('test', 'a').living()].map(([key]) => key);
}

const removals: readonly (readonly [
  string,
  (rig: Rig) => unknown,
  result: unknown,
  left: readonly string[],
])[] = [
  ['sht_rm', ({ call }) => fn.sht_rm.call(call, 'a', 'call::1'), true, ['call::2', 'ring::1']],
  [
    'sht_rm of nothing',
    ({ call }) => fn.sht_rm.call(call, 'a', 'x'),
    false,
    ['call::1', 'call::2', 'ring::1'],
  ],
  ['sht_rm_name_re', ({ call }) => fn.sht_rm_name_re.call(call, 'a=>^CALL'), 2, ['ring::1']],
  ['sht_rm_value_re', ({ call }) => fn.sht_rm_value_re.call(call, 'a=>.*'), 2, ['ring::1']],
  ['sht_rm_name re', ({ call }) => fn.sht_rm_name.call(call, 'a', 're', '1$'), 2, ['call::2']],
  ['sht_rm_name sw', ({ call }) => fn.sht_rm_name.call(call, 'a', 'sw', 'ca'), 2, ['ring::1']],
  ['sht_rm_name ew', ({ call }) => fn.sht_rm_name.call(call, 'a', 'ew', '1'), 2, ['call::2']],
  ['sht_rm_name in', ({ call }) => fn.sht_rm_name.call(call, 'a', 'in', 'ng'), 1, ['call::1', 'call::2']],
  ['sht_rm_value sw', ({ call }) => fn.sht_rm_value.call(call, 'a', 'sw', 'gr'), 1, ['call::1', 'ring::1']],
  ['sht_reset', ({ call }) => fn.sht_reset.call(call, 'a'), undefined, []],
];
for (const [name, run, result, left] of removals) {
  test(`htable functions: ${name} removes what it means, and nothing else`, async () => {
    const rig = await filled();
    assert.deepEqual([run(rig), keysOf(rig)], [result, left]);
  });
}

const matches: readonly (readonly [operator: string, text: string, name: boolean, value: boolean])[] = [
  ['eq', 'call::1', true, false],
  ['eq', 'green', false, true],
  ['eq', '5', false, false],
  ['ne', 'call::1', true, true],
  ['re', '^R', true, true],
  ['sw', 'gre', false, true],
  ['sw', 'ring', true, false],
];
for (const [operator, text, name, value] of matches) {
  test(`htable functions: whether there is an item: ${operator} ${text}`, async () => {
    const { call } = await filled();
    assert.deepEqual(
      [
        fn.sht_match_name.call(call, 'a', operator, text),
        fn.sht_has_name.call(call, 'a', operator, text),
        fn.sht_match_str_value.call(call, 'a', operator, text),
        fn.sht_has_str_value.call(call, 'a', operator, text),
      ],
      [name, name, value, value],
    );
  });
}

test('htable functions: an operator, a table or a name that is not there is an error', async () => {
  const { call } = await filled();
  assert.throws(() => fn.sht_match_name.call(call, 'a', 'in', 'x'), {
    code: 'ERR_HTABLE_VALUE',
    message: /sht_match_name: the operator: expected one of eq, ne, re, sw, found "in"/,
  });
  assert.throws(() => fn.sht_rm_name.call(call, 'a', 'toString', 'x'), { code: 'ERR_HTABLE_VALUE' });
  assert.throws(() => fn.sht_reset.call(call, 'b'), { code: 'ERR_HTABLE_NAME' });
  assert.throws(() => fn.sht_rm_name_re.call(call, '.*'), { code: 'ERR_HTABLE_NAME' });
  assert.throws(() => fn.sht_lock.call(call, 'b=>k'), { code: 'ERR_HTABLE_NAME' });
  assert.throws(() => fn.read.call(callWithoutTables(), 'k'), { code: 'ERR_HTABLE_NAME' });
});

function callWithoutTables(): Rig['call'] {
  return startHtable({}).call;
}

test('htable functions: sht_setxs and sht_setxi store with a lifetime, 0 being that of the table', async () => {
  const { call, pv, clock } = startHtable({ htable: 'a=>autoexpire=100' });
  assert.equal(fn.sht_setxs.call(call, 'a', 's', 'text', 5), true);
  assert.equal(fn.sht_setxi.call(call, 'a', 'i', 7, 0), true);
  assert.deepEqual(
    [await pv.$shtex('a=>s').get(), await pv.$shtex('a=>i').get(), await pv.$sht('a=>i').get()],
    [5, 100, 7],
  );
  clock.advance(5000);
  assert.equal(await pv.$sht('a=>s').get(), null);
  assert.throws(() => fn.sht_setxi.call(call, 'a', 'i', 7, -1), { code: 'ERR_HTABLE_VALUE' });
});
