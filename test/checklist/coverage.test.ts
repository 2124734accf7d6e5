/** What the test material asks of a proxy is all tested: told by names in the sources of the tests. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { read, sourcesUnder } from '../architecture/source-files.ts';
import { material } from '../torture/material.ts';

/** Lines of the checklist without a test, and why. */
const WITHOUT_TEST: ReadonlyMap<string, string> = new Map([
  ...['111', '112', '113', '114', '118', '119', '120', '121', '123'].map(
    (number) => [number, 'there is no registrar'] as const,
  ),
  ...['124', '125', '127', '128', '129', '130', '132', '133'].map(
    (number) => [number, 'there is no authentication'] as const,
  ),
  ['140', 'there is no dispatcher'],
]);

const SELF = 'test/checklist/coverage.test.ts';
/** `checklist 034: ...` or `034 ...` at the start of a test's name. */
const NAMED = /\btest\(\s*['"`](?:checklist )?(\d{3})\b/g;
/** Numbers of a table whose tests are named from it. */
const IN_TABLE = /'(0\d{2})'/g;

/** Numbers in the names of tests. */
function numbersTested(): Set<string> {
  const found = new Set<string>();
  for (const file of sourcesUnder('test')) {
    if (file === SELF) continue;
    const source = read(file);
    const patterns = source.includes('`checklist ${number}') ? [NAMED, IN_TABLE] : [NAMED];
    for (const pattern of patterns) for (const [, number = ''] of source.matchAll(pattern)) found.add(number);
  }
  return found;
}

const checklist = material('CHECKLIST.md');
test('coverage: every line of the checklist is a test named by its number, but for those listed', {
  skip: checklist === null && 'no test material: CHECKLIST.md',
}, () => {
  const lines = readFileSync(checklist ?? assert.fail(), 'utf8').matchAll(/^(\d{3}) /gm);
  const numbers = [...lines].map(([, number = '']) => number);
  assert.ok(numbers.length >= 80);
  const tested = numbersTested();
  const missing = numbers.filter((number) => !tested.has(number) && !WITHOUT_TEST.has(number));
  assert.deepEqual(missing, []);
  const needless = [...WITHOUT_TEST.keys()].filter(
    (number) => tested.has(number) || !numbers.includes(number),
  );
  assert.deepEqual(needless, [], 'excepted without need');
});

const flows = material('flows');
test('coverage: every flow is played or carried by a test', {
  skip: flows === null && 'no test material: flows',
}, () => {
  const folder = flows ?? assert.fail();
  const sources = sourcesUnder('test/checklist')
    .filter((file) => file !== SELF)
    .map(read)
    .join('\n');
  const names = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name !== 'LICENSE')
    .map(({ parentPath, name }) => `${parentPath.slice(folder.length + 1)}/${name}`);
  assert.ok(names.length >= 20);
  const titles = names.map((name) =>
    name.startsWith('stream/') ? name.slice(7, -4) : name.replace(/_.*/, ''),
  );
  assert.deepEqual(
    titles.filter((title) => !sources.includes(`'${title}'`)),
    [],
  );
});

const vectors = material('rfc_vectors.json');
test('coverage: every group of vectors that concerns a proxy is tested', {
  skip: vectors === null && 'no test material: rfc_vectors.json',
}, () => {
  const groups = Object.keys(JSON.parse(readFileSync(vectors ?? assert.fail(), 'utf8')));
  assert.ok(groups.length >= 4);
  const sources = sourcesUnder('test')
    .filter((file) => file !== SELF)
    .map(read)
    .join('\n');
  assert.deepEqual(
    groups.filter((group) => !sources.includes(`'${group}'`)),
    // There is no authentication.
    ['digest'],
  );
});
