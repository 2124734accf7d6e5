import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { importsIn, importsOf, read, sourcesUnder, withoutCommentLines } from './source-files.ts';

/** Layers of the core from left to right: a file imports from its own and from those before. */
const LAYERS = [
  'core',
  'core/sip',
  'core/transport',
  'core/registry',
  'core/routing',
  'core/proxy',
  'core/main',
  'core/testing',
];
const PUBLIC_FACE = 'core/index.ts';
/** The files of the core that know the built-in modules. */
const COMPOSITION_ROOTS = ['core/main/bin.ts', 'core/testing/index.ts'];
const ALL_MODULES = 'modules/index.ts';
const REHEARSAL = 'modules/rehearsal.ts';

/** npm packages that the program may import. */
const packages: Set<string> = new Set(Object.keys(JSON.parse(read('package.json')).dependencies));

function isPackage(specifier: string): boolean {
  const parts = specifier.split('/');
  return packages.has(parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'));
}

function isProjectFile(specifier: string): boolean {
  return /^(?:core|modules|config|test)\//.test(specifier);
}

/** Whether `file`, of the core, may import a file of the project. */
function coreMayImport(file: string, imported: string): boolean {
  if (COMPOSITION_ROOTS.includes(file) && (imported === ALL_MODULES || imported === REHEARSAL)) return true;
  if (imported === PUBLIC_FACE || !imported.startsWith('core/')) return false;
  if (file === PUBLIC_FACE) return true;
  const from = LAYERS.indexOf(posix.dirname(file));
  const to = LAYERS.indexOf(posix.dirname(imported));
  return to >= 0 && to <= from;
}

/** Whether `file`, of a module, may import a file of the project. */
function moduleMayImport(file: string, imported: string): boolean {
  if (imported === PUBLIC_FACE) return true;
  if (file === ALL_MODULES) return imported.startsWith('modules/');
  const [, folder] = file.split('/');
  return imported.startsWith(`modules/${folder}/`);
}

function configMayImport(_file: string, imported: string): boolean {
  return imported === PUBLIC_FACE || imported === ALL_MODULES || imported.startsWith('config/');
}

const RULES = { core: coreMayImport, modules: moduleMayImport, config: configMayImport } as const;

test('architecture: the reader of imports finds every form, and none in comments', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from '../b.ts';",
    "import c, {\n  d,\n  type E,\n} from './c.ts';",
    "import * as f from 'node:fs';",
    "import './effect.ts';",
    "export { g } from './g.ts';",
    "export * from './h.ts';",
    "export type { I } from './i.ts';",
    "const j = await import('./j.ts');",
    "type K = import('./k.ts').K;",
    " * import { no } from './comment.ts';",
    "// import { no } from './comment.ts';",
    "export const from = 'text';",
  ].join('\n');
  const run = ['./a.ts', './c.ts', 'node:fs', './effect.ts', './g.ts', './h.ts', './j.ts', './k.ts'];
  const found = importsIn(source);
  assert.deepEqual(
    found.filter(({ typeOnly }) => !typeOnly).map(({ from }) => from),
    run,
  );
  assert.deepEqual(
    found.filter(({ typeOnly }) => typeOnly).map(({ from }) => from),
    ['../b.ts', './i.ts'],
  );
});

/** Whether a routes file imports the running package by its name. */
function isSelf(file: string, from: string): boolean {
  return from === 'kamaiki' && file.startsWith('config/');
}

function isKnown(file: string, from: string): boolean {
  return isProjectFile(from) || from.startsWith('node:') || isPackage(from) || isSelf(file, from);
}

/** The imports of some folders that `isWrong` finds wrong, in words. */
function wrongImports(
  folders: readonly string[],
  isWrong: (file: string, from: string) => boolean,
): string[] {
  return sourcesUnder(...folders).flatMap((file) =>
    importsOf(file)
      .filter(({ from }) => isWrong(file, from))
      .map(({ from }) => `${file} imports ${from}`),
  );
}

for (const [folder, mayImport] of Object.entries(RULES)) {
  test(`architecture: ${folder} imports only in the directions of the layers`, () => {
    assert.deepEqual(
      wrongImports([folder], (file, from) => isProjectFile(from) && !mayImport(file, from)),
      [],
    );
  });
}

test('architecture: the program imports only its own files, Node.js and packages that are dependencies', () => {
  assert.deepEqual(
    wrongImports(['core', 'modules', 'config'], (file, from) => !isKnown(file, from)),
    [],
  );
});

test('architecture: every folder of the core is a layer', () => {
  const folders = new Set(sourcesUnder('core').map((file) => posix.dirname(file)));
  assert.deepEqual(
    [...folders].filter((folder) => !LAYERS.includes(folder)),
    [],
  );
});

test('architecture: core/sip imports its own files and the table of errors, no more', () => {
  assert.deepEqual(
    wrongImports(['core/sip'], (_file, from) => !from.startsWith('core/sip/') && from !== 'core/errors.ts'),
    [],
  );
});

test('architecture: core/sip has no clock, timer, randomness, process or console', () => {
  const impure =
    /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bcrypto\b|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bconsole\./g;
  const wrong = sourcesUnder('core/sip').flatMap((file) =>
    [...withoutCommentLines(read(file)).matchAll(impure)].map(([found]) => `${file} uses ${found}`),
  );
  assert.deepEqual(wrong, []);
});

/** A way back to `start` along imports, or null. */
function cycleFrom(start: string, graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const seen = new Set<string>();
  const walk = (file: string, path: string[]): string[] | null => {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return [...path, start];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...path, next]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(start, [start]);
}

// Types may refer to each other: nothing of that is left in the built program, so no order of loading depends on it.
test('architecture: no files load each other in a circle', () => {
  const graph = new Map(
    sourcesUnder('core', 'modules', 'config', 'test').map((file) => [
      file,
      importsOf(file).flatMap(({ from, typeOnly }) => (typeOnly ? [] : [from])),
    ]),
  );
  const cycles = [...graph.keys()].map((file) => cycleFrom(file, graph)).filter((cycle) => cycle !== null);
  assert.deepEqual(
    cycles.map((cycle) => cycle.join(' -> ')),
    [],
  );
});
