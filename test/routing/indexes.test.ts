import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnyModule, Call } from '../../core/registry/module.ts';
import { Formats } from '../../core/routing/formats.ts';
import { load, moduleOf, scopeOf } from '../registry/fixtures.ts';

/** A list by name that can be read and set by index, and what an index may be made of. */
function listModule(): AnyModule {
  return moduleOf('lists', {
    init: () => ['a', 'b', 'c'],
    pseudoVariables: {
      $list: {
        doc: 'One of several.',
        indexed: true,
        get: ({ state }: Call<string[]>, name: string, index = 0) => `${name} ${state.at(index) ?? 'none'}`,
        set: ({ state }: Call<string[]>, value: string, _name: string, index = 0) =>
          void (state[index] = value),
      },
      $one: { doc: 'No index.', get: (_call: Call<unknown>, name: string) => name },
      $two: { doc: 'A number.', plain: true, get: () => 2 },
      $late: { doc: 'A number after a while.', plain: true, get: () => Promise.resolve(1) },
      $null: { doc: 'Null.', plain: true, get: () => null },
      $nothing: { doc: 'Null after a while.', plain: true, get: () => Promise.resolve(null) },
    },
  });
}

function formats(): Formats {
  const found = new Formats();
  found.use(load([listModule()]).registry);
  return found;
}

for (const [format, expected] of [
  ['$list(x)', 'x a'],
  ['$(list(x)[1])', 'x b'],
  ['$(list(x)[-1])', 'x c'],
  ['<$(list(x)[9])>', '<x none>'],
  ['$(list(x)[$two])', 'x c'],
  ['$(list(n$two)[1])', 'n2 b'],
  ['$(list(n$two)[$two])', 'n2 c'],
  ['$(list(x)[$late])', 'x b'],
  ['$(list(n$late)[0])', 'n1 a'],
  ['$(list(n$late)[$late])', 'n1 b'],
] as const) {
  test(`index: ${format} is '${expected}'`, async () => {
    const found = formats();
    assert.equal(await found.expand(scopeOf('request'), format), expected);
  });
}

for (const [format, reason] of [
  ['$(list(x)[a])', /expected a whole number in brackets, found a/],
  ['$(list(x)[])', /expected a whole number in brackets/],
  ['$(list(x)[1.5])', /expected a whole number in brackets, found 1\.5/],
  ['$(list(x)[99999999999])', /expected a whole number in brackets/],
  ['$(list(x)[a$two])', /expected a whole number in brackets, found a2/],
  ['$(one(x)[0])', /\$one has no index/],
  ['$(two[0])', /\$two has no index/],
] as const) {
  test(`index: refuses ${format}`, () => {
    const found = formats();
    assert.throws(() => found.expand(scopeOf('request'), format), { code: 'ERR_PV_SYNTAX', message: reason });
  });
}

test('index: a variable that is null names nothing', () => {
  const found = formats();
  assert.throws(() => found.expand(scopeOf('request'), '$(list(x)[$null])'), { code: 'ERR_PV_NULL_IN_KEY' });
});

test('index: where both the inner text and the index fail, neither is left behind', async () => {
  const found = formats();
  await assert.rejects(async () => found.expand(scopeOf('request'), '$(list($nothing)[$null])'), {
    code: 'ERR_PV_NULL_IN_KEY',
  });
  // A rejection that nobody waits for would fail this test.
  await nextTurn();
});

test('index: sets one of several by name', async () => {
  const found = formats();
  await found.set(scopeOf('request'), '$(list(x)[1])', 'new');
  assert.equal(found.get(scopeOf('request'), '$(list(x)[1])'), 'x new');
});
