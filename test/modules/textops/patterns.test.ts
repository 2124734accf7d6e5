import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_COMPILED, Patterns } from '../../../modules/textops/patterns.ts';

test('Patterns: compiles a text once while it is among the latest', () => {
  const patterns = new Patterns();
  const first = patterns.regex('search', 'a0');
  const substitution = patterns.subst('subst', '/a0/b/');
  assert.equal(patterns.regex('search', 'a0'), first);
  assert.equal(patterns.subst('subst', '/a0/b/'), substitution);
  for (let i = 1; i <= MAX_COMPILED; i += 1) {
    patterns.regex('search', `a${i}`);
    patterns.subst('subst', `/a${i}/b/`);
  }
  assert.notEqual(patterns.regex('search', 'a0'), first);
  assert.notEqual(patterns.subst('subst', '/a0/b/'), substitution);
});
