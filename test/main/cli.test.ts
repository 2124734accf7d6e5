import assert from 'node:assert/strict';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configuration, kamaiki, PROJECT, put, root, ROUTES, SHIPPED } from './program.ts';

test('cli: -v prints the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  assert.deepEqual(kamaiki('-v'), {
    code: 0,
    out: `kamaiki ${version} (Node.js ${process.version})\n`,
    err: '',
  });
});

test('cli: the program that the build makes can be executed', () => {
  accessSync(join(PROJECT, 'dist/core/main/bin.js'), constants.X_OK);
});

test('cli: -h prints how it is used', () => {
  const { code, out, err } = kamaiki('-h');
  assert.deepEqual([code, err], [0, '']);
  for (const word of ['-f', '-c', '-l', '-h', '-v', 'modules', 'schema', 'call'])
    assert.ok(out.includes(word), word);
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['-x'], /Unknown option '-x'/],
  [['-f'], /argument missing/],
  [['calll'], /no command named 'calll'; did you mean 'call'\?/],
  [['modules', 'a', 'b'], /'b' is one argument too many/],
  [['schema', 'a'], /'a' is one argument too many/],
  [['-l', '127.0.0.1'], /-l 127\.0\.0\.1: expected an address such as "udp:/],
  [
    ['-l', 'sctp:127.0.0.1:5060'],
    /-l sctp:127\.0\.0\.1:5060: expected an address such as "udp:.*; unknown protocol "sctp"/,
  ],
  [['-l', 'localhost:5060'], /-l localhost:5060: expected an address such as [^;]*$/m],
  [['--proxy', 'a:1'], /--to and --proxy belong to the command call/],
];
for (const [args, expected] of wrong) {
  test(`cli: 'kamaiki ${args.join(' ')}' is wrong usage, exit code 2`, () => {
    const { code, out, err } = kamaiki(...args);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, expected);
  });
}

test('cli: a configuration file that is not there is exit code 1', () => {
  const { code, err } = kamaiki('-f', 'none.yaml');
  assert.equal(code, 1);
  assert.match(err, /^cannot read the configuration file 'none\.yaml': ENOENT/);
});

test('cli: -c says ok for a configuration and routes without mistakes', () => {
  const routes = put(ROUTES, 'ts');
  const file = configuration(routes);
  assert.deepEqual(kamaiki('-c', '-f', file), { code: 0, out: `${file}: ok\n${routes}: ok\n`, err: '' });
});

test('cli: -c does not make the log file, whatever modules say', () => {
  const mine = `import { defineModule } from 'kamaiki';
    export default defineModule({ name: 'mine', doc: 'Mine.', depends: [], params: {}, pseudoVariables: {}, functions: {},
      init: ({ log }) => { log.warn('initialised'); return {}; } });`;
  const folder = mkdtempSync(join(root, 'mpath-'));
  writeFileSync(join(folder, 'index.ts'), mine);
  const file = configuration(
    put(ROUTES, 'ts'),
    `  mine: {}\nmpath: [${folder}]\nlog: { file: ./none.log }\n`,
  );
  const { code, err } = kamaiki('-c', '-f', file);
  assert.equal(code, 0, err);
  assert.match(err, /initialised/);
  assert.equal(existsSync(join(root, 'none.log')), false);
});

test('cli: all mistakes of configuration, modules and routes are printed at once, a line each, exit code 1', () => {
  const routes = put('export default 1;', 'ts');
  const file = put(
    `listen: [tls:1.2.3.4:5061]\nroutes: ${routes}\nmodules:\n  sll: {}\n  maxfwd: { max_limt: 1 }\nlog: { level: 5 }\nmpath: [./none]\n`,
    'yaml',
  );
  const expected = [
    `${file}:1:9: to listen on tls:1.2.3.4:5061 takes a certificate: expected the key 'tls' with certificate and private_key [ERR_TLS_MISSING]`,
    `${file}:5:13: module 'maxfwd' has no parameter 'max_limt'; did you mean 'max_limit'? [ERR_PARAM_UNKNOWN]`,
    `${file}:6:15: log.level: found 5, expected one of debug, info, notice, warn, error [ERR_CONFIG_VALUE]`,
    `${file}:7:9: mpath './none': neither a folder ('${join(root, 'none')}') nor an installed npm package [ERR_MPATH_ENTRY]`,
    `${routes}:1:1: expected \`export default defineRoutes({ ... })\`, found a default export of another kind [ERR_ROUTE_DEFAULT]`,
  ];
  for (const args of [
    ['-c', '-f', file],
    ['-f', file],
  ]) {
    const { code, out, err } = kamaiki(...args);
    assert.deepEqual([code, out, err.trimEnd().split('\n')], [1, '', expected]);
  }
});

test('cli: an unknown module is named, with the nearest one', () => {
  const { code, err } = kamaiki('-c', '-f', configuration(put(ROUTES, 'ts'), '  txtops: {}\n'));
  assert.equal(code, 1);
  assert.match(err, /:5:3: no module named 'txtops'; did you mean 'textops'\? \[ERR_MODULE_UNKNOWN\]\n$/);
});

test('cli: routes that use a module that is not loaded are an error', () => {
  const { code, err } = kamaiki(
    '-c',
    '-f',
    configuration(put(ROUTES.replace("['sl']", "['sl', 'tm']"), 'ts')),
  );
  assert.equal(code, 1);
  assert.match(err, /routes use module 'tm', which is not loaded/);
});

test('cli: a name in a handler that no handler has is an error, with its place', () => {
  const routes = put(ROUTES.replace('{ ksr }) {', "{ ksr }) {\n  ksr.tm.t_on_failure('busy');"), 'ts');
  const { code, err } = kamaiki('-c', '-f', configuration(routes, '  tm: {}\n'));
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^${routes}:3:10: request calls t_on_failure\\('busy'\\), but there is no`));
});

test('cli: a log file that cannot be written is an error', () => {
  const { code, err } = kamaiki('-f', configuration(put(ROUTES, 'ts'), 'log: { file: ./none/proxy.log }\n'));
  assert.equal(code, 1);
  assert.match(err, /^the log file '.*none\/proxy\.log' cannot be written: ENOENT/);
});

test('cli: a module from mpath, TypeScript, is loaded', () => {
  const mine = put(
    `import { defineModule, param } from 'kamaiki';
     export const mine = defineModule({ name: 'mine', doc: 'Mine.', depends: [], params: { n: param.int({ default: 1, unit: 'count', doc: 'N.' }) },
       init: () => ({}), pseudoVariables: {}, functions: {} });`,
    'ts',
  );
  const folder = mkdtempSync(join(root, 'mpath-'));
  writeFileSync(join(folder, 'index.ts'), readFileSync(mine));
  const file = configuration(put(ROUTES, 'ts'), `  mine: { n: 5 }\nmpath: [${folder}]\n`);
  assert.deepEqual(kamaiki('-c', '-f', file).code, 0);
  assert.match(kamaiki('modules', '-f', file).out, /^mine +Mine\.$/m);
  const { properties } = JSON.parse(kamaiki('schema', '-f', file).out);
  assert.equal(properties.modules.properties.mine.properties.n.description, 'N.');
});

test('cli: modules lists what there is, and shows one', () => {
  const all = kamaiki('modules');
  assert.equal(all.code, 0);
  for (const name of ['memcached', 'pv', 'rr', 'sl', 'tm'])
    assert.match(all.out, new RegExp(`^${name} +[A-Z]`, 'm'));
  const one = kamaiki('modules', 'memcached');
  assert.equal(one.code, 0);
  assert.match(one.out, /expire .*default 10800\./);
  assert.match(one.out, /\$mct\(\.\.\.\)/);
});

test('cli: modules names the nearest when there is none of that name', () => {
  assert.deepEqual(kamaiki('modules', 'memcache'), {
    code: 1,
    out: '',
    err: "no module named 'memcache'; did you mean 'memcached'?\n",
  });
});

test('cli: docs/kamailio.schema.json is what the command schema prints', () => {
  const { code, out } = kamaiki('schema');
  assert.equal(code, 0);
  assert.equal(readFileSync(join(PROJECT, 'docs/kamailio.schema.json'), 'utf8'), out);
});

test('cli: the shipped configuration and routes have no mistakes', () => {
  assert.deepEqual(kamaiki('-c', '-f', SHIPPED), {
    code: 0,
    out: `${SHIPPED}: ok\n${join(PROJECT, 'config/routes.ts')}: ok\n`,
    err: '',
  });
});
