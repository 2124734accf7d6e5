import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readParam } from '../../../core/registry/params.ts';
import { parseDefinition } from '../../../modules/htable/definition.ts';
import { params } from '../../../modules/htable/params.ts';

const PLAIN = { autoexpireS: 0, initval: null, updateexpire: true, maxItems: null };

const good: readonly (readonly [text: string, definition: object])[] = [
  ['a', { ...PLAIN, name: 'a' }],
  ['a=>', { ...PLAIN, name: 'a' }],
  ['a=>size=8;', { ...PLAIN, name: 'a' }],
  [
    'name=>size=8;autoexpire=300;initval=0;updateexpire=1',
    { name: 'name', autoexpireS: 300, initval: 0, updateexpire: true, maxItems: null },
  ],
  [
    ' ip-ban =>  autoexpire = 60 ; updateexpire=0; initval=-1;max_items=7;;',
    { name: 'ip-ban', autoexpireS: 60, initval: -1, updateexpire: false, maxItems: 7 },
  ],
];
for (const [text, definition] of good) {
  test(`htable definition: ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(parseDefinition(text), { ok: true, definition });
  });
}

const bad: readonly (readonly [text: string, reason: RegExp])[] = [
  ['', /no table name/],
  ['=>size=4', /no table name/],
  ['a b=>size=4', /no table name/],
  ['a=>siez=4', /siez is none of size, autoexpire, initval, updateexpire, max_items/],
  ['a=>constructor=4', /constructor is none of/],
  ['a=>size', /size is an integer from 0 to 31/],
  ['a=>autoexpire=5m', /autoexpire is an integer/],
  ['a=>autoexpire=-1', /autoexpire is an integer from 0/],
  ['a=>autoexpire=1=2', /autoexpire is an integer/],
  ['a=>updateexpire=2', /updateexpire is an integer from 0 to 1/],
  ['a=>max_items=0', /max_items is an integer from 1/],
  ['a=>initval=1;initval=2', /initval stands twice/],
  ['a=>dbtable=x', /dbtable: tables are not loaded from a database/],
  ['a=>dmqreplicate=1', /dmqreplicate: .*memcached/],
];
for (const [text, reason] of bad) {
  test(`htable definition: ${JSON.stringify(text)} is refused`, () => {
    const parsed = parseDefinition(text);
    assert.match(parsed.ok ? 'read' : parsed.reason, reason);
  });
}

test('htable definition: the parameter takes one text or a list, and names what is wrong in it', () => {
  assert.deepEqual(readParam(params.htable, 'a=>size=4'), { ok: true, value: ['a=>size=4'] });
  assert.deepEqual(readParam(params.htable, ['a', 'b']), { ok: true, value: ['a', 'b'] });
  assert.deepEqual(readParam(params.htable, undefined), { ok: true, value: [] });
  for (const [value, why] of [
    [['a', 'b=>x=1'], /"b=>x=1": x is none of/],
    [['a', 'a=>size=4'], /the table a is defined twice/],
  ] as const) {
    const result = readParam(params.htable, value);
    assert.match(result.ok ? 'read' : result.why, why);
  }
  assert.equal(readParam(params.htable, 7).ok, false);
});
