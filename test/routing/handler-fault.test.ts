import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadRoutes } from '../../core/main/routes-loader.ts';
import { faultPlace } from '../../core/routing/handler-fault.ts';
import { ROOT } from '../architecture/source-files.ts';
import { CALLER, request } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

const FILE = '/etc/kamaiki/routes.ts';

const STACKS: readonly (readonly [string, readonly string[], string])[] = [
  ['the routes file', ['Object.request (/etc/kamaiki/routes.ts:7:3)'], `${FILE}:7`],
  [
    'the file of the throw, where that is one that the routes import',
    ['gate (/etc/kamaiki/lib/gate.ts:3:9)', 'Object.request (/etc/kamaiki/routes.ts:7:3)'],
    '/etc/kamaiki/lib/gate.ts:3',
  ],
  [
    'the routes file, below functions of the program',
    [
      `compileFormat (${ROOT}/core/routing/format.ts:9:1)`,
      `Object.call (${ROOT}/dist/modules/textops/textops.js:9:1)`,
      `Object.call (${ROOT}/modules/textops/textops.ts:9:1)`,
      `Functions.value (file://${ROOT}/dist/core/routing/bind.js:9:1)`,
      'async Object.request (/etc/kamaiki/routes.ts:7:3)',
    ],
    `${FILE}:7`,
  ],
  [
    'the routes file, below packages and Node.js',
    [
      'JSON.parse (<anonymous>)',
      'node:internal/fs:5:1',
      '/etc/kamaiki/node_modules/left-pad/index.js:1:1',
      'Object.request (/etc/kamaiki/routes.ts:7:3)',
    ],
    `${FILE}:7`,
  ],
  [
    'a package, where no file of the user is there',
    ['/x/node_modules/a/b.js:1:1'],
    '/x/node_modules/a/b.js:1',
  ],
  ['the file alone, where all is of the program', [`run (${ROOT}/core/routing/handlers.ts:9:1)`], FILE],
];
for (const [name, frames, expected] of STACKS) {
  test(`faultPlace: names ${name}`, () => {
    const error = new Error('x');
    error.stack = ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n');
    assert.equal(faultPlace(error, FILE), expected);
  });
}

test('an error in a module is placed at the line that called it, however deep it was thrown', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kamaiki-fault-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'routes.ts');
  await writeFile(
    file,
    `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'tm'],
  request({ ksr }) {
    ksr.pv.get('$(hdr($(hdr($(hdr($(hdr($(hdr($(hdr($nope))))))))))))');
  },
});
`,
  );
  const { routes } = await loadRoutes(file);
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  const [line = ''] = rig.lines('error');
  assert.equal(line.slice(0, line.indexOf(': ')), `handler request failed at ${file}:5`);
});
