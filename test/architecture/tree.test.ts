import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { filesUnder, ROOT, read, sourcesUnder } from './source-files.ts';

const TOP_LEVEL = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'biome.json',
  'config',
  'core',
  'docs',
  'kamailio.yaml',
  'knip.json',
  'modules',
  'package-lock.json',
  'package.json',
  'test',
  'tsconfig.json',
];
/** Not part of the project: made by installing and building. */
const MADE = ['node_modules', 'dist'];
const MAX_LINES = 300;

// As character classes where this file would find itself otherwise.
const UNFINISHED = /\b(?:TOD[O]|FIXM[E]|XX[X])\b/;
const MACHINE_PATH = /(?<![\w.*])\/(?:wor[k]|roo[t]|home\/[a-z]+)\//;
const MATERIAL = /\.\.\/share[d]\b/;

/** Every text file of the project but the lock file, which is made. */
function texts(): string[] {
  return filesUnder('.').filter((file) => file !== 'package-lock.json' && !/\.(?:png|ico|log)$/.test(file));
}

test('tree: the top level holds what the design names and nothing else', () => {
  const names = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !MADE.includes(name));
  assert.deepEqual(names.toSorted(), TOP_LEVEL.toSorted());
});

test(`tree: no source is longer than ${MAX_LINES} lines`, () => {
  const long = sourcesUnder('core', 'modules', 'config', 'test')
    .map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES);
  assert.deepEqual(long, []);
});

/** What of the pattern stands in the project's texts, with the file. */
function found(pattern: RegExp, isAllowed: (file: string, text: string) => boolean = () => false): string[] {
  return texts().flatMap((file) => {
    const text = read(file);
    const [match] = pattern.exec(text) ?? [];
    return match === undefined || isAllowed(file, text) ? [] : [`${file}: ${match}`];
  });
}

test('tree: no text is marked as unfinished', () => {
  assert.deepEqual(found(UNFINISHED), []);
});

test('tree: no text names a path of the machine it was written on', () => {
  assert.deepEqual(found(MACHINE_PATH), []);
});

function isTestMaterial(file: string, text: string): boolean {
  return file.startsWith('test/') && text.includes('KAMAIKI_TEST_MATERIAL');
}

test('tree: only tests name the folder of further test material, and the environment may name another', () => {
  assert.deepEqual(found(MATERIAL, isTestMaterial), []);
});

test('tree: TypeScript files are named in kebab-case, and none for a grab bag', () => {
  const wrong = sourcesUnder('core', 'modules', 'config', 'test').filter((file) => {
    const name = file.slice(file.lastIndexOf('/') + 1).replace(/(?:\.test|\.test-d|\.bench)?\.ts$/, '');
    return !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) || /^(?:utils?|helpers?|types|common|misc)$/.test(name);
  });
  assert.deepEqual(wrong, []);
});
