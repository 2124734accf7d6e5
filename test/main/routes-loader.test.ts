import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defineRoutes, ProxyError, ProxyErrors, type Routes } from '../../core/index.ts';
import { importFile, loadRoutes } from '../../core/main/routes-loader.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'kamaiki-test-')));
after(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
/** Writes files into a folder of their own outside the project and returns the path of one of them. */
function put(files: Readonly<Record<string, string>>, entry = 'routes.ts'): string {
  const folder = join(root, String(++folders));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, entry);
}

/** The code and message of what loading a file throws, with the file's folder left out. */
async function failure(file: string): Promise<readonly string[]> {
  const error: unknown = await loadRoutes(file).then(
    () => assert.fail('it loaded'),
    (cause: unknown) => cause,
  );
  const found = error instanceof ProxyErrors ? error.errors : [error];
  return found.map((one) => {
    assert.ok(one instanceof ProxyError, String(one));
    return `${one.code} ${one.message.replaceAll(join(file, '..'), '.')}`;
  });
}

/** Calls the request handler, which in these tests looks at no context. */
function run(routes: Routes): unknown {
  // oxlint-disable-next-line typescript/unbound-method -- it is bound by the call
  return Reflect.apply(routes.request, routes, []);
}

const HANDLER = 'request() {}';

test('loader: loads a TypeScript file that lies outside the project', async () => {
  const file = put({
    'routes.ts': `
      import { defineRoutes } from 'kamaiki';
      interface Answer { readonly text: string }
      const answer: Answer = { text: 'hello' } satisfies Answer;
      export default defineRoutes({ uses: [], request(): string { return answer.text; } });`,
  });
  const { routes } = await loadRoutes(file);
  assert.deepEqual(routes.uses, []);
  assert.equal(run(routes), 'hello');
});

test("loader: 'kamaiki' is the running package itself", async () => {
  const exports = await importFile(
    put({ 'a.ts': `export { defineRoutes, ProxyError } from 'kamaiki';` }, 'a.ts'),
  );
  assert.equal(exports['defineRoutes'], defineRoutes);
  assert.equal(exports['ProxyError'], ProxyError);
});

test('loader: loads JavaScript, and files imported from other folders, JSON too', async () => {
  const file = put(
    {
      'config/routes.js': `import { twice } from '../lib/twice.ts'; import limit from './limit.json' with { type: 'json' };
        export default { uses: ['tm'], request: () => twice(limit.calls) };`,
      'config/limit.json': '{ "calls": 21 }',
      'lib/twice.ts': 'export const twice = (n: number): number => n * 2;',
    },
    'config/routes.js',
  );
  assert.equal(run((await loadRoutes(file)).routes), 42);
});

test('loader: an import used only as a type leaves nothing behind, even of a file that is not there', async () => {
  const file = put({
    'routes.ts': `import type { Gone } from './gone.ts';
      export default { uses: [], request(value?: Gone) { return value; } };`,
  });
  assert.equal(run((await loadRoutes(file)).routes), undefined);
});

test('loader: a tsconfig.json next to the routes changes nothing', async () => {
  const file = put({
    'tsconfig.json': '{ "extends": "./missing.json", "compilerOptions": { "verbatimModuleSyntax": true } }',
    'kinds.ts': 'export interface Kind { readonly a: string }',
    'routes.ts': `import { Kind } from './kinds.ts';\nexport default { uses: [], request(kind?: Kind) { return kind; } };`,
  });
  assert.deepEqual((await loadRoutes(file)).routes.uses, []);
});

test('loader: npm packages are found from the file that imports them, and are not bundled', async () => {
  const file = put({
    'node_modules/greet/package.json': '{ "name": "greet", "type": "module", "exports": "./greet.js" }',
    'node_modules/greet/greet.js': 'export const where = import.meta.url;',
    'routes.ts': `import { where } from 'greet';\nexport default { uses: [], request: () => where };`,
  });
  const where = run((await loadRoutes(file)).routes);
  assert.match(String(where), /^file:.*\/node_modules\/greet\/greet\.js$/);
});

test('loader: top-level await, a CommonJS file and import.meta of each file work', async () => {
  const file = put({
    'old.cjs': `module.exports = { old: require('node:path').basename(__filename) };`,
    'sub/b.ts': 'export const b: string = import.meta.dirname;',
    'routes.ts': `import cjs from './old.cjs'; import { b } from './sub/b.ts';
      const url: string = await Promise.resolve(import.meta.url);
      export default { uses: [], request: () => [cjs.old, b, url] };`,
  });
  const folder = join(file, '..');
  assert.deepEqual(run((await loadRoutes(file)).routes), ['old.cjs', join(folder, 'sub'), `file://${file}`]);
});

test('loader: loading again takes in a change of an imported file', async () => {
  const file = put({
    'dep.ts': 'export const version: number = 1;',
    'routes.ts': `import { version } from './dep.ts';\nexport default { uses: [], request: () => version };`,
  });
  const { routes: first } = await loadRoutes(file);
  writeFileSync(join(file, '../dep.ts'), 'export const version: number = 2;');
  const { routes: second } = await loadRoutes(file);
  assert.deepEqual([run(first), run(second)], [1, 2]);
});

test('loader: an error thrown in a handler names the line of the .ts file, imported files and import.meta included', async () => {
  const file = put({
    'dep.ts': `export interface A { b: string }\n\nexport function fail(a: A): never {\n  throw new Error(import.meta.url + a.b);\n}`,
    'routes.ts': `import { fail } from './dep.ts';\nexport default {\n  uses: [],\n  request(): void {\n    fail({ b: '' });\n  },\n};`,
  });
  const { routes } = await loadRoutes(file);
  assert.throws(
    () => run(routes),
    ({ stack }: Error) => {
      assert.match(stack ?? '', new RegExp(`at fail \\(${join(file, '../dep.ts')}:4:9\\)`));
      assert.match(stack ?? '', new RegExp(`at Object.request \\(${file}:5:5\\)`));
      return true;
    },
  );
});

test('loader: loads that run side by side do not disturb each other', async () => {
  const files = Array.from({ length: 5 }, (_, at) =>
    put({ 'routes.ts': `export default { uses: ['m${at}'], ${HANDLER} };` }),
  );
  const loaded = await Promise.all(files.map((file) => loadRoutes(file)));
  assert.deepEqual(
    loaded.map(({ routes }) => routes.uses),
    [['m0'], ['m1'], ['m2'], ['m3'], ['m4']],
  );
});

const mistakes: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  [
    'a syntax error',
    { 'routes.ts': 'const a = 1;\nexport default {{;\n' },
    ['ERR_ROUTE_SYNTAX ./routes.ts:2:17: syntax error: Expected identifier but found "{"'],
  ],
  [
    'a syntax error in an imported file, its column counted in characters',
    { 'routes.ts': `import './dep.ts';`, 'dep.ts': `const é = 'ü' 2;` },
    ['ERR_ROUTE_SYNTAX ./dep.ts:1:15: syntax error: Expected ";" but found "2"'],
  ],
  [
    'a syntax error in a file with import.meta',
    { 'routes.ts': `console.log(import.meta.url);\nlet two = 2 2;` },
    ['ERR_ROUTE_SYNTAX ./routes.ts:2:13: syntax error: Expected ";" but found "2"'],
  ],
  [
    'imports of what is not there, all of them',
    { 'routes.ts': `import './gone.ts';\nimport 'gone-too';\n` },
    [
      "ERR_ROUTE_LOAD ./routes.ts:1:8: cannot be loaded: cannot find './gone.ts'",
      "ERR_ROUTE_LOAD ./routes.ts:2:8: cannot be loaded: cannot find 'gone-too'",
    ],
  ],
  [
    'an import of an inner file of kamaiki',
    { 'routes.ts': `import { x } from 'kamaiki/core/log.ts';\nx();` },
    [
      "ERR_ROUTE_LOAD ./routes.ts:1:19: cannot be loaded: 'kamaiki/core/log.ts' is not public: import from 'kamaiki'",
    ],
  ],
  [
    'an import of a name that a file does not export',
    { 'routes.ts': `import { b } from './dep.ts';\nb();`, 'dep.ts': 'export const a = 1;' },
    ['ERR_ROUTE_SYNTAX ./routes.ts:1:10: syntax error: No matching export in "dep.ts" for import "b"'],
  ],
  [
    'code that throws while it loads',
    { 'routes.ts': `interface A {}\nthrow new Error('no luck');\n` },
    ['ERR_ROUTE_LOAD ./routes.ts:2:7: cannot be loaded: no luck'],
  ],
  [
    'no default export',
    { 'routes.ts': 'export const routes = 1;' },
    [
      'ERR_ROUTE_DEFAULT ./routes.ts:1:1: expected `export default defineRoutes({ ... })`, found no default export',
    ],
  ],
  [
    'a default export of another kind',
    { 'routes.ts': 'export default 1;' },
    [
      'ERR_ROUTE_DEFAULT ./routes.ts:1:1: expected `export default defineRoutes({ ... })`, found a default export of another kind',
    ],
  ],
  [
    'routes without a request handler',
    { 'routes.ts': 'export default { uses: [], requests() {} };' },
    [
      'ERR_ROUTE_DEFAULT ./routes.ts:1:1: expected `export default defineRoutes({ ... })`, found no function `request` in it, but `requests`: did you mean `request`?',
    ],
  ],
  [
    'routes without uses',
    { 'routes.ts': 'export default { request() {} };' },
    [
      'ERR_ROUTE_DEFAULT ./routes.ts:1:1: expected `export default defineRoutes({ ... })`, found no `uses` in it',
    ],
  ],
  [
    'uses that is no list',
    { 'routes.ts': "export default { uses: 'sl', request() {} };" },
    [
      'ERR_ROUTE_DEFAULT ./routes.ts:1:1: expected `export default defineRoutes({ ... })`, found a `uses` in it that is no list of module names',
    ],
  ],
];
for (const [name, files, expected] of mistakes) {
  test(`loader: reports ${name}, with its place`, async () => {
    assert.deepEqual(await failure(put(files)), expected);
  });
}

test("loader: reports a name that 'kamaiki' does not export", async () => {
  const [message] = await failure(put({ 'routes.ts': `import { nope } from 'kamaiki';\nnope();` }));
  assert.match(message ?? '', /^ERR_ROUTE_LOAD .*does not provide an export named 'nope'/);
});

test('loader: reports a file that is not there', async () => {
  const [message] = await failure(join(root, 'none', 'routes.ts'));
  assert.match(message ?? '', /^ERR_ROUTE_LOAD \.\/routes\.ts:1:1: cannot be loaded: ENOENT: no such file/);
});

test('loader: reports a folder', async () => {
  assert.deepEqual(await failure(put({ 'sub/a.ts': '' }, 'sub')), [
    'ERR_ROUTE_LOAD ./sub:1:1: cannot be loaded: it is a folder: expected the path of a file',
  ]);
});

test('loader: reports an await that never ends, and loads the file when it is mended', async () => {
  const file = put({ 'routes.ts': 'await new Promise(() => undefined);' });
  const error: unknown = await loadRoutes(file, 1).catch((cause: unknown) => cause);
  assert.ok(error instanceof ProxyError);
  assert.equal(error.code, 'ERR_ROUTE_LOAD');
  assert.match(
    error.message,
    /:1:1: cannot be loaded: an await .* not ended within 1 ms \(limits\.start_timeout\)$/,
  );
  writeFileSync(file, `export default { uses: [], ${HANDLER} };`);
  assert.deepEqual((await loadRoutes(file)).routes.uses, []);
});

test('loader: says so when there is no folder for temporary files', async (t) => {
  const before = process.env['TMPDIR'];
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const file = put({ 'routes.ts': `export default { uses: [], ${HANDLER} };` });
  process.env['TMPDIR'] = join(root, 'none');
  const [message] = await failure(file);
  assert.match(
    message ?? '',
    /^ERR_ROUTE_LOAD .*the folder for temporary files \(TMPDIR\) does not serve: ENOENT/,
  );
});
