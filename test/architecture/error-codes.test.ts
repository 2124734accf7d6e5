import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../core/errors.ts';
import { read, sourcesUnder } from './source-files.ts';

const codes = Object.keys(errors).toSorted();

test('error codes: each is named like the error it makes', () => {
  for (const [name, kind] of Object.entries(errors)) assert.equal(kind.code, name);
});

test('error codes: docs/errors.md has a section for each, with text, and for no other', () => {
  const sections = read('docs/errors.md').split(/^## /m).slice(1);
  const documented = sections.map((section) => section.split('\n', 1)[0]?.trim() ?? '');
  const undocumented = codes.filter((code) => !documented.includes(code));
  const gone = documented.filter((code) => !codes.includes(code));
  assert.deepEqual({ undocumented, gone }, { undocumented: [], gone: [] });
  assert.equal(new Set(documented).size, documented.length, 'a code has two sections');
  for (const section of sections) {
    const [title, ...text] = section.split('\n');
    assert.ok(text.join(' ').trim().length > 20, `${title} is not explained`);
  }
});

test('error codes: each stands in a test', () => {
  const tests = sourcesUnder('test')
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/architecture/'))
    .map(read)
    .join('\n');
  assert.deepEqual(
    codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests)),
    [],
  );
});

test('error codes: each is thrown somewhere in the program', () => {
  const program = sourcesUnder('core', 'modules')
    .filter((file) => file !== 'core/errors.ts')
    .map(read)
    .join('\n');
  assert.deepEqual(
    codes.filter((code) => !new RegExp(`\\berrors\\.${code}\\b`).test(program)),
    [],
  );
});
