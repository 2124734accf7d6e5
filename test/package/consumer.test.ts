import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../programs/temp-folder.ts';

/** The package's root: tests run from dist/test/package. */
const ROOT = resolve(import.meta.dirname, '../../..');

const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['tm', 'memcached', 'pv'],
  async request({ ksr, pv }) {
    const count: number | bigint | null = await pv.$mcinc('calls').set(1);
    pv.$avp('count').set(Number(count));
    // @ts-expect-error sl is not in uses
    ksr.sl.sl_send_reply(200, 'OK');
    // @ts-expect-error no failure handler has this name
    ksr.tm.t_on_failure('nobody');
    ksr.tm.t_on_failure('busy');
    await ksr.tm.t_relay();
  },
  failure: { busy: ({ ksr }) => ksr.tm.t_reply(480, 'Busy') },
});
`;

const TEST = `import { startTestProxy, type TestMessage, type UserAgent } from 'kamaiki/testing';
const proxy = await startTestProxy('kamailio.yaml', { modules: { memcached: { servers: 'embedded' } } });
const alice: UserAgent = proxy.userAgent('sip:alice@192.0.2.1');
const invite: TestMessage = await alice.send('INVITE', 'sip:bob@192.0.2.2', { headers: { Contact: null } });
const calls: string | number | bigint | null = await proxy.get('$mct(calls)');
// @ts-expect-error a status is a number, a method a text
alice.next(invite);
console.log(calls);
`;

test('a project that has the package installed gets the modules, their variables, the names of its handlers and the proxy of its tests typed', () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/kamaiki'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'routes.ts'), ROUTES);
  writeFileSync(join(folder, 'routes.test.ts'), TEST);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['routes.ts', 'routes.test.ts'] }),
  );
  const compile = () =>
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  assert.equal(compile(), '');
});
