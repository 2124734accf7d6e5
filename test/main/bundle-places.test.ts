import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadRoutes } from '../../core/main/routes-loader.ts';
import { handlerSet } from '../../core/routing/handler-set.ts';
import { load, mistakeLines, moduleOf } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'kamaiki-test-')));
after(() => rmSync(root, { recursive: true, force: true }));

const { registry } = load([
  moduleOf('tm'),
  moduleOf('memcached', { pseudoVariables: { $mct: { doc: 'X.', expands: true, get: () => null } } }),
  moduleOf('xlog', {
    functions: {
      xinfo: {
        doc: 'W.',
        signature: '(format: string): void',
        on: 'any',
        expands: true,
        call: (): void => undefined,
      },
    },
  }),
]);

/** `file:line:column` and code of the mistakes inside the handlers of routes.ts, which stands in a folder with the other files. */
async function places(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(root, 'r-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'routes.ts');
  const { routes, placeOf } = await loadRoutes(file);
  const lines = mistakeLines(() => handlerSet(routes, registry, { file, placeOf, log: recordedLog() }));
  return lines.map((line) =>
    line.replaceAll(`${folder}/`, '').replace(/^(\w+): (.+?): .*$/s, (_, code, place) => `${place} ${code}`),
  );
}

test('places: a mistake in a handler stands at its line and column in the routes file, whatever comments, types and letters come before', async () => {
  assert.deepEqual(
    await places({
      'routes.ts': `interface Unused { readonly a: string }
// é
export default {
  uses: ['tm', 'memcached', 'xlog'],
  request({ ksr, pv }: any): void {
    // ksr.tm.t_on_failure('old');
    const ü: string = /* a comment */ 'ü' as string; ksr.tm.t_on_failure('busy' as string);
    if (ü === '') pv.$mct('call::$ci').get();
    ksr.xlog
      .xinfo('x');
    ksr.xlog.xinfo(/* the format */ '$nope');
  },
};
`,
    }),
    ['routes.ts:7:61 ERR_ROUTE_NAME', 'routes.ts:8:22 ERR_ROUTE_KEY', 'routes.ts:11:14 ERR_ROUTE_FORMAT'],
  );
});

test('places: a handler of an imported file is placed there, one with import.meta too', async () => {
  assert.deepEqual(
    await places({
      '100 %.ts': `export interface A {}\nexport function busy({ ksr }: any): void {\n  console.log(import.meta.url);\n\n  ksr.tm.t_on_failure('bsy');\n}\n`,
      'routes.ts': `import { busy } from './100 %.ts';\nexport default { uses: ['tm'], request() {}, failure: { busy } };\n`,
    }),
    ['100 %.ts:5:10 ERR_ROUTE_NAME'],
  );
});

test('places: of two handlers with the same text neither is placed', async () => {
  const handler = `({ ksr }) => ksr.tm.t_on_failure('none')`;
  assert.deepEqual(
    await places({
      'routes.ts': `export default { uses: ['tm'], request: ${handler}, reply: ${handler} };`,
    }),
    ['routes.ts ERR_ROUTE_NAME', 'routes.ts ERR_ROUTE_NAME'],
  );
});

test('places: a function that is not in the bundle has none', async () => {
  const file = join(root, 'routes.ts');
  writeFileSync(file, 'export default { uses: [], request() {} };');
  const { placeOf } = await loadRoutes(file);
  assert.equal(placeOf('function elsewhere() {}', 0), null);
});
