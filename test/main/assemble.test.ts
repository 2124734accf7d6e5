import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defineModule, param, ProxyError, ProxyErrors } from '../../core/index.ts';
import { assemble, type Assembly } from '../../core/main/assemble.ts';

const root = mkdtempSync(join(tmpdir(), 'kamaiki-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

const one = defineModule({
  name: 'one',
  doc: 'For tests.',
  depends: [],
  params: { size: param.int({ default: 1, min: 1, unit: 'count', doc: 'A size.' }) },
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

writeFileSync(join(root, 'routes.ts'), 'export default { uses: [], request() {} };');

let files = 0;
function assembly(text: string, environment: Readonly<Record<string, string>> = {}): Promise<Assembly> {
  const file = join(root, `${++files}.yaml`);
  writeFileSync(file, text);
  return assemble({ file, environment, builtin: () => Promise.resolve([one]), listen: [] });
}

async function codes(text: string): Promise<readonly string[]> {
  const error: unknown = await assembly(text).then(
    () => assert.fail('it was assembled'),
    (cause: unknown) => cause,
  );
  if (error instanceof ProxyErrors) return error.errors.map(({ code }) => code);
  assert.ok(error instanceof ProxyError, String(error));
  return [error.code];
}

const GOOD = 'listen: ["udp:127.0.0.1:0"]\nroutes: routes.ts\n';

test('assemble: gives configuration, modules and routes', async () => {
  const { configuration, available, modules, routes } = await assembly(
    `${GOOD}modules: { one: { size: "\${SIZE}" } }\n`,
    {
      SIZE: '5',
    },
  );
  assert.equal(configuration.routesFile, join(root, 'routes.ts'));
  assert.deepEqual(available, [one]);
  assert.deepEqual(
    modules.map(({ name, params }) => [name, params]),
    [['one', { size: 5 }]],
  );
  assert.deepEqual(routes.uses, []);
});

test('assemble: tells the mistakes of the configuration in their order, then those of the routes', async () => {
  assert.deepEqual(
    await codes('modules: { one: { size: 0 } }\nlisten: []\nroutes: none.ts\nlisten: []\nx: 1\n'),
    ['ERR_PARAM_VALUE', 'ERR_CONFIG_VALUE', 'ERR_CONFIG_DUPLICATE', 'ERR_CONFIG_KEY', 'ERR_ROUTE_LOAD'],
  );
});

test('assemble: a module that may come from an mpath that failed is not reported as unknown', async () => {
  assert.deepEqual(await codes(`${GOOD}mpath: [./none]\nmodules: { two: {}, one: { x: 1 } }\n`), [
    'ERR_MPATH_ENTRY',
    'ERR_PARAM_UNKNOWN',
  ]);
  assert.deepEqual(await codes(`${GOOD}modules: { two: {} }\n`), ['ERR_MODULE_UNKNOWN']);
});

test('assemble: of a value whose variable is not set nothing else is told', async () => {
  assert.deepEqual(
    await codes(
      'listen: ["udp:${GONE}:5060"]\nroutes: "${GONE}/r.ts"\nmpath: ["${GONE}"]\nmodules: { one: { size: "${GONE}" } }\n',
    ),
    Array.from({ length: 4 }, () => 'ERR_CONFIG_ENVIRONMENT'),
  );
});

test('assemble: a log file that cannot be written is a mistake', async () => {
  assert.deepEqual(await codes(`${GOOD}log: { file: none/proxy.log }\n`), ['ERR_LOG_FILE']);
  assert.deepEqual(await codes(`${GOOD}log: { file: . }\n`), ['ERR_LOG_FILE']);
});

test('assemble: a log file that is not there is not made, and one that is there stays as it is', async () => {
  await assembly(`${GOOD}log: { file: new.log }\n`);
  assert.equal(existsSync(join(root, 'new.log')), false);
  writeFileSync(join(root, 'old.log'), 'old\n');
  await assembly(`${GOOD}log: { file: old.log }\n`);
  assert.equal(readFileSync(join(root, 'old.log'), 'utf8'), 'old\n');
});
