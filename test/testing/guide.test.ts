import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { read, ROOT } from '../architecture/source-files.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { PATIENCE_MS } from '../main/program.ts';

test('docs/testing-routes.md: its test passes, with the route of README.md', () => {
  const [yaml = '', code = ''] = Array.from(
    read('docs/testing-routes.md').matchAll(/^```(?:yaml|js)\n([\s\S]*?)^```$/gm),
    ([, block]) => block,
  );
  const folder = tempFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/kamaiki'));
  copyFileSync(join(ROOT, 'test/types/readme-route.test-d.ts'), join(folder, 'routes.ts'));
  writeFileSync(join(folder, 'kamailio.yaml'), yaml);
  writeFileSync(join(folder, 'routes.test.mjs'), code);
  // A test of a test: without what the outer one tells its children, the inner one reports for itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', 'routes.test.mjs'],
    {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 2 * PATIENCE_MS,
    },
  );
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^# pass 4$/m);
});
