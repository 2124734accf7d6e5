import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { read, ROOT } from '../architecture/source-files.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { ask, PATIENCE_MS, Running } from './program.ts';

const [MODULE = '', ROUTES = '', YAML = ''] = Array.from(
  read('docs/writing-modules.md').matchAll(/^```(?:yaml|ts)\n([\s\S]*?)^```$/gm),
  ([, block]) => block,
);
const FILES = { 'modules/daily/daily.ts': MODULE, 'routes.ts': ROUTES, 'kamailio.yaml': YAML };

/** The files of the page, in a folder where the package is installed. */
function project(changes: Partial<typeof FILES> = {}): string {
  const folder = tempFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/kamaiki'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  for (const [name, text] of Object.entries({ ...FILES, ...changes })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const TSC =
  '--noEmit --strict --module nodenext --target es2023 --types node --allowImportingTsExtensions --skipLibCheck routes.ts';

function typeErrors(folder: string): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), ...TSC.split(' ')],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    },
  );
  return status === 0 ? '' : `tsc ended with ${status}: ${stdout}${stderr}`;
}

test('docs/writing-modules.md: TypeScript knows the module in the routes', () => {
  assert.equal(typeErrors(project()), '');
  const misspelt = project({ 'routes.ts': ROUTES.replace('daily_call', 'daily_cal') });
  assert.match(typeErrors(misspelt), /'daily_cal' does not exist/);
});

function today(): number {
  return new Date().getUTCDate();
}

/** What three calls get from a proxy of their own, and its log. */
async function threeCalls(t: TestContext): Promise<{ readonly replies: string[]; readonly err: string }> {
  const proxy = new Running('-f', join(project(), 'kamailio.yaml'));
  t.after(() => proxy.ends('SIGTERM'));
  const port = await proxy.port();
  const replies = [await ask(port), await ask(port), await ask(port)];
  return { replies, err: proxy.err };
}

test('docs/writing-modules.md: the third call of a day is refused', async (t) => {
  const day = today();
  let seen = await threeCalls(t);
  // When one ended meanwhile, its counters did too.
  if (today() !== day) seen = await threeCalls(t);
  assert.deepEqual(seen.replies, ['SIP/2.0 200 OK', 'SIP/2.0 200 OK', 'SIP/2.0 403 More Than 2 Calls Today']);
  assert.match(seen.err, /too many calls today/);
});
