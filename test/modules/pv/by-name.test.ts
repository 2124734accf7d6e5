import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PvResult } from '../../../core/registry/services.ts';
import { pv } from '../../../modules/pv/pv.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, request } from '../fake-core.ts';

const { get, gete, geti, sets, seti, unset, is_null } = pv.functions;

function setUp(variables: Record<string, PvResult | Promise<PvResult>> = {}) {
  const core = fakeCore({ variables });
  return callOf(pv.init({ params: {}, log: recordedLog(), core, deps: {} }), request());
}

test('get, gete, geti, is_null: read a variable by name, each in its way', () => {
  const rows: [value: PvResult, gete: string, geti: number, isNull: boolean][] = [
    ['text', 'text', 0, false],
    ['', '', 0, false],
    ['12', '12', 12, false],
    [7, '7', 7, false],
    [-3, '-3', -3, false],
    [12n, '12', 12, false],
    [null, '', 0, true],
  ];
  for (const [value, text, number, isNull] of rows) {
    const call = setUp({ $x: value });
    assert.equal(get.call(call, '$x'), value);
    assert.equal(gete.call(call, '$x'), text);
    assert.equal(geti.call(call, '$x'), number);
    assert.equal(is_null.call(call, '$x'), isNull);
  }
});

test('get, gete, geti, is_null: give a promise for a variable that waits', async () => {
  const call = setUp({ '$mct(n)': Promise.resolve('5') });
  for (const [read, value] of [
    [get, '5'],
    [gete, '5'],
    [geti, 5],
    [is_null, false],
  ] as const) {
    const result = read.call(call, '$mct(n)');
    assert(result instanceof Promise);
    assert.equal(await result, value);
  }
});

test('sets, seti, unset: set a variable by name', async () => {
  const call = setUp();
  await sets.call(call, '$var(x)', 'text');
  assert.equal(get.call(call, '$var(x)'), 'text');
  await seti.call(call, '$var(x)', 3);
  assert.equal(get.call(call, '$var(x)'), 3);
  await unset.call(call, '$var(x)');
  assert.equal(get.call(call, '$var(x)'), null);
});

test('seti: hands back what setting the variable answers', async () => {
  const call = setUp();
  call.state.core.formats.set = (_scope, name, value) => Promise.resolve(`${name} by ${value}`);
  assert.equal(await seti.call(call, '$mcinc(n)', 1), '$mcinc(n) by 1');
});
