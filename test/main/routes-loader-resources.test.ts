/** What loading routes takes of the process and the system, and leaves behind; each test in a process of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { put, root, ROUTES } from './program.ts';

const LOADER = new URL('../../core/main/routes-loader.js', import.meta.url).href;

/** Runs a script that may call `load`, which tells how loading the routes ended, in a process that may open 128 files. */
function run(
  script: string,
  routes: string,
): { readonly printed: string; readonly temporary: readonly string[] } {
  const folder = mkdtempSync(join(root, 'tmp-'));
  const text = `
    import { loadRoutes } from ${JSON.stringify(LOADER)};
    import { closeSync, openSync } from 'node:fs';
    const load = () => loadRoutes(${JSON.stringify(routes)}).then(() => 'loaded', ({ code, message }) => code + ' ' + message);
    ${script}`;
  const node = [process.execPath, '--input-type=module', '-e', text];
  const { stdout } = spawnSync('/bin/sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', ...node], {
    env: { ...process.env, TMPDIR: folder },
    encoding: 'utf8',
  });
  return { printed: stdout, temporary: readdirSync(folder) };
}

test("loader: leaves no process of esbuild's and no temporary file behind", () => {
  const script = `
    await load();
    console.log(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length);`;
  assert.deepEqual(run(script, put(ROUTES, 'ts')), { printed: '0\n', temporary: [] });
});

test('loader: leaves no temporary file behind where the routes end the process', () => {
  const script = `await load();\nconsole.log('goes on');`;
  assert.deepEqual(run(script, put('process.exit();', 'ts')), { printed: '', temporary: [] });
});

test('loader: without free file descriptors it is one error, and later loads work', () => {
  const script = `
    const told = [await load()];
    const open = [];
    for (;;) try { open.push(openSync('/dev/null')); } catch { break; }
    // Enough for the file itself, not for a process.
    for (const descriptor of open.splice(-4)) closeSync(descriptor);
    told.push(await load());
    for (const descriptor of open) closeSync(descriptor);
    told.push(await load());
    console.log(JSON.stringify(told));`;
  const [first, second = '', third] = JSON.parse(run(script, put(ROUTES, 'ts')).printed);
  assert.deepEqual([first, third], ['loaded', 'loaded']);
  assert.match(second, /^ERR_ROUTE_LOAD .*:1:1: cannot be loaded: EMFILE: too many open files/);
});
