import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { sharedLookup } from '../../modules/memcached/shared-lookup.ts';

test('lookup: one question at a time, its answer for all who asked meanwhile', () => {
  const asked: Parameters<LookupFunction>[2][] = [];
  const lookup = sharedLookup((_host, _options, answered) => void asked.push(answered));
  const answers: string[] = [];
  const ask = (name: string) =>
    lookup(
      'cache.example',
      {},
      (error, address) =>
        void answers.push(`${name} ${error === null ? JSON.stringify(address) : error.message}`),
    );
  ask('a');
  ask('b');
  assert.deepEqual([asked.length, answers], [1, []]);
  asked[0]?.(null, '192.0.2.1', 4);
  assert.deepEqual(answers, ['a "192.0.2.1"', 'b "192.0.2.1"']);
  ask('c');
  assert.equal(asked.length, 2);
  asked[1]?.(new Error('not found'), '');
  assert.deepEqual(answers.slice(2), ['c not found']);
});
