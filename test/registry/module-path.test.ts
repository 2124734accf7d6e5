import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ProxyErrors } from '../../core/errors.ts';
import { loadModulesFrom } from '../../core/registry/module-path.ts';
import { load, mistakeLines, moduleOf } from './fixtures.ts';

/** A module outside of the tree, as source text. */
function source(name: string, exported = 'export default'): string {
  return `${exported} {
    name: '${name}', doc: 'Outside.', depends: [], params: {},
    init: () => ({ from: '${name}' }), pseudoVariables: {}, functions: {},
  };`;
}

const FILES: Readonly<Record<string, string>> = {
  'many/geo/geo.mjs': source('geo'),
  'many/acl/index.js': source('acl'),
  'many/acl/package.json': '{ "type": "module" }',
  'many/twice/twice.ts': source('twice_ts'),
  'many/twice/twice.mjs': source('twice_mjs'),
  'many/named/named.mjs': `${source('named_one', 'export const one =')}\n${source('named_two', 'export const two =')}\nexport { one as default };`,
  'many/.hidden/.hidden.mjs': source('hidden'),
  'many/node_modules/node_modules.mjs': source('dependency'),
  'many/docs/readme.txt': 'no module here',
  'single/single.mjs': source('single'),
  'packed/package.json': '{ "type": "module", "main": "lib/entry.js" }',
  'packed/lib/entry.js': source('packed'),
  'empty/readme.txt': '',
  'broken/broken.mjs': 'export default {',
  'none/none.mjs': 'export const version = 1;',
  'node_modules/kamaiki-geo/package.json':
    '{ "type": "module", "exports": { ".": { "import": "./geo.js" } } }',
  'node_modules/kamaiki-geo/geo.js': source('npm_geo'),
  'node_modules/@acme/routing/package.json': '{ "type": "module" }',
  'node_modules/@acme/routing/index.js': source('acme_routing'),
  'node_modules/nothing/package.json': 'not json',
  'deep/er/readme.txt': '',
};

let base = '';
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kamaiki-mpath-'));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(base, path)), { recursive: true });
    await writeFile(join(base, path), text);
  }
  await mkdir(join(base, 'linked'));
  await symlink(join(base, 'many/geo'), join(base, 'linked/geo'));
});
after(() => rm(base, { recursive: true, force: true }));

const imported: string[] = [];
async function importModule(file: string): Promise<Record<string, unknown>> {
  imported.push(file);
  // Stands for the loader of TypeScript, which belongs to another part: these files need no translation.
  const url = file.endsWith('.ts') ? pathToFileURL(file.replace(/ts$/, 'mjs')) : pathToFileURL(file);
  const module: unknown = await import(url.href);
  return { ...Object(module) };
}

const namesFrom = async (entries: readonly string[], from = base): Promise<string[]> =>
  (await loadModulesFrom(entries, from, importModule)).map(({ name }) => name);

const FOUND: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['in the sub-folders of a folder', ['./many'], ['acl', 'geo', 'named_one', 'named_two', 'twice_mjs']],
  ['in the folder itself', ['single'], ['single']],
  ['by the main file of a folder with a package.json', ['./packed'], ['packed']],
  ['in a linked sub-folder', ['./linked'], ['geo']],
  ['in an npm package by its exports', ['kamaiki-geo'], ['npm_geo']],
  ['in a scoped npm package', ['@acme/routing'], ['acme_routing']],
  ['once when two entries lead to it', ['single', './single'], ['single']],
];
for (const [name, entries, expected] of FOUND) {
  test(`mpath: finds modules ${name}`, async () => {
    assert.deepEqual(await namesFrom(entries), expected);
  });
}

test('mpath: prefers a TypeScript source to what stands beside it', async () => {
  imported.length = 0;
  await namesFrom(['./many/twice']);
  assert.deepEqual(imported, [join(base, 'many/twice/twice.ts')]);
});

test('mpath: takes an absolute folder, and finds packages in folders above the base', async () => {
  assert.deepEqual(await namesFrom([join(base, 'single'), 'kamaiki-geo'], join(base, 'deep/er')), [
    'single',
    'npm_geo',
  ]);
});

test('mpath: a module from outside of the tree is loaded like any other', async () => {
  const { registry } = load(await loadModulesFrom(['./many/geo'], base, importModule));
  assert.deepEqual(
    registry.loaded.map(({ module, state }) => [module.name, state]),
    [['geo', { from: 'geo' }]],
  );
});

const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  ['neither a folder nor a package', './nowhere', 'ERR_MPATH_ENTRY', /neither a folder \('.*nowhere'\) nor/],
  ['a folder without modules', './empty', 'ERR_MPATH_ENTRY', /no module in the folder/],
  ['a package without a main file', 'nothing', 'ERR_MPATH_ENTRY', /has no main file/],
  ['a file that exports no module', './none', 'ERR_MPATH_ENTRY', /none\.mjs' exports no module/],
  ['a file that cannot be loaded', './broken', 'ERR_MPATH_IMPORT', /broken\.mjs' could not be loaded: /],
];
for (const [name, entry, code, message] of REFUSED) {
  test(`mpath: refuses ${name}`, async () => {
    await assert.rejects(loadModulesFrom([entry], base, importModule), (error) => {
      assert.ok(error instanceof ProxyErrors);
      assert.deepEqual(
        error.errors.map((one) => one.code),
        [code],
      );
      assert.match(error.message, message);
      return true;
    });
  });
}

const placeOf = (index: number) => ({ file: 'kamailio.yaml', line: index + 2, column: 5 });

test('mpath: reports all mistakes together, each with its place', async () => {
  await assert.rejects(
    loadModulesFrom(['./empty', './single', './nowhere'], base, importModule, { placeOf }),
    (error) => {
      assert.ok(error instanceof ProxyErrors);
      assert.deepEqual(
        error.errors.map(({ place }) => place?.line),
        [2, 4],
      );
      return true;
    },
  );
});

test('mpath: a module of the same name as another is refused with its file', async () => {
  const found = await loadModulesFrom(['./many/geo'], base, importModule);
  assert.deepEqual(
    mistakeLines(() => load([moduleOf('geo'), ...found], [])),
    [
      `ERR_MODULE_NAME_TAKEN: two of the modules that can be loaded are named 'geo': the built-in one and that of '${join(base, 'many/geo/geo.mjs')}'`,
    ],
  );
});
