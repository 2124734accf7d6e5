import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Configuration, parseConfiguration, readConfiguration } from '../../core/main/configuration.ts';
import { plain } from '../../core/main/located-yaml.ts';
import { fitSubstituted } from '../../core/main/substituted-params.ts';
import { defineModule, param } from '../../core/index.ts';
import { DEFAULT_CONNECTION_LIMITS } from '../../core/transport/connection-limits.ts';
import { checkRequests } from '../../core/registry/load-checks.ts';

type Variables = Readonly<Record<string, string>>;

/** A file without mistakes. */
function configuration(text: string, environment: Variables = {}): Configuration {
  const result = parseConfiguration(text, { file: '/etc/sip/k.yaml', environment });
  assert.deepEqual(result.mistakes, []);
  return result.configuration;
}

const MINIMAL = 'listen: ["udp:127.0.0.1:5060"]\nroutes: r.ts\n';

test('configuration: a small file takes the defaults for everything else', () => {
  assert.deepEqual(configuration(MINIMAL), {
    file: '/etc/sip/k.yaml',
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 5060 }],
    alias: [],
    log: { level: 'info', format: 'pretty', file: undefined },
    routesFile: '/etc/sip/r.ts',
    mpath: [],
    modules: [],
    limits: {
      handlers: 10_000,
      handlerTimeoutMs: 10_000,
      startTimeoutMs: 10_000,
      shutdownTimeoutMs: 5000,
      lane: 64,
      maxWaitMs: 50,
    },
    warmUpCalls: 0,
    nativeUdp: false,
    tcp: DEFAULT_CONNECTION_LIMITS,
    tls: null,
    dns: { servers: [], srv: true, naptr: true },
    metrics: null,
  });
});

test('configuration: every key is read', () => {
  const { listen, alias, log, routesFile, mpath, modules, limits, warmUpCalls, nativeUdp } = configuration(`
listen:
  - udp:0.0.0.0:5060
  - udp:[::]:0
  - udp:sip.example.com
  - { address: "udp:10.0.0.5:5070", advertise: "203.0.113.5:5060" }
  - { address: "udp:[::1]:5060", advertise: "[2001:db8::1]:5061" }
alias: [example.com, "example.com:5060", "[2001:db8::2]:5060"]
log: { level: notice, format: json, file: logs/proxy.log }
limits: { handlers: 5, handler_timeout: 100, start_timeout: 200, shutdown_timeout: 0, max_lane: 3, max_wait: 80 }
warm_up: { calls: 2000 }
udp: { native: true }
routes: ../routes.ts
mpath: [./mine, some-package]
modules:
  sl:
  tm: {}
  memcached: { servers: "localhost:11211", expire: 60, nested: [1, { a: true }] }
`);
  assert.deepEqual(listen, [
    { protocol: 'udp', host: '0.0.0.0', port: 5060 },
    { protocol: 'udp', host: '::', port: 0 },
    { protocol: 'udp', host: 'sip.example.com', port: 5060 },
    { protocol: 'udp', host: '10.0.0.5', port: 5070, advertise: { host: '203.0.113.5', port: 5060 } },
    { protocol: 'udp', host: '::1', port: 5060, advertise: { host: '2001:db8::1', port: 5061 } },
  ]);
  assert.deepEqual(alias, [
    { host: 'example.com', port: null },
    { host: 'example.com', port: 5060 },
    { host: '2001:db8::2', port: 5060 },
  ]);
  assert.deepEqual(log, { level: 'notice', format: 'json', file: '/etc/sip/logs/proxy.log' });
  assert.deepEqual(limits, {
    handlers: 5,
    handlerTimeoutMs: 100,
    startTimeoutMs: 200,
    shutdownTimeoutMs: 0,
    lane: 3,
    maxWaitMs: 80,
  });
  assert.equal(warmUpCalls, 2000);
  assert.equal(nativeUdp, true);
  assert.equal(routesFile, '/etc/routes.ts');
  assert.deepEqual(
    mpath.map(({ entry }) => entry),
    ['./mine', 'some-package'],
  );
  assert.deepEqual(
    modules.map(({ name, params }) => [name, params]),
    [
      ['sl', {}],
      ['tm', {}],
      ['memcached', { servers: 'localhost:11211', expire: 60, nested: [1, { a: true }] }],
    ],
  );
});

test('configuration: modules and their parameters know where they stand', () => {
  const { modules, mpath } = configuration(
    `${MINIMAL}mpath: [a]\nmodules:\n  sl: {}\n  tm:\n    fr_timer: 5\n`,
  );
  const file = '/etc/sip/k.yaml';
  assert.deepEqual(
    modules.map(({ place }) => place),
    [
      { file, line: 5, column: 3 },
      { file, line: 6, column: 3 },
    ],
  );
  assert.deepEqual(modules[1]?.placeOf?.('fr_timer'), { file, line: 7, column: 5 });
  assert.deepEqual(modules[1]?.placeOf?.('other'), { file, line: 6, column: 3 });
  assert.deepEqual(mpath[0]?.place, { file, line: 3, column: 9 });
});

test('configuration: a file that cannot be read is reported', () => {
  const { mistakes: found } = readConfiguration('/nowhere/k.yaml', { environment: {} });
  assert.deepEqual(
    found.map(({ code, message }) => `${code} ${message}`),
    [
      "ERR_CONFIG_READ cannot read the configuration file '/nowhere/k.yaml': ENOENT: no such file or directory, open '/nowhere/k.yaml'",
    ],
  );
});

test('configuration: where there is a mistake, the default stands instead', () => {
  const { configuration: read } = parseConfiguration(`${MINIMAL}log: { level: loud }\n`, {
    file: 'k.yaml',
    environment: {},
  });
  assert.equal(read.log.level, 'info');
});

test('configuration: YAML anchors serve, with the place of their use', () => {
  const { modules } = configuration(`${MINIMAL}modules:\n  tm: &t { a: 1 }\n  sl: *t\n`);
  assert.deepEqual(
    modules.map(({ params }) => params),
    [{ a: 1 }, { a: 1 }],
  );
});

const substitutions: readonly (readonly [string, unknown, Variables])[] = [
  ['${A}', 'x', { A: 'x' }],
  ['a${A}b${B}c', 'axbyc', { A: 'x', B: 'y' }],
  ['${A:-d e}', 'd e', {}],
  ['${A:-d}', 'd', { A: '' }],
  ['${A:-}', '', {}],
  ['${A}', '', { A: '' }],
  ['$${A} $A', '${A} $A', { A: 'x' }],
  ['${A}', '${B}', { A: '${B}', B: 'y' }],
  ['${A}', '12', { A: '12' }],
];
for (const [text, expected, environment] of substitutions) {
  test(`configuration: in the environment ${JSON.stringify(environment)} the text ${text} becomes ${JSON.stringify(expected)}`, () => {
    const { modules } = configuration(`${MINIMAL}modules: { m: { p: "${text}" } }\n`, environment);
    assert.deepEqual(modules[0]?.params, { p: expected });
  });
}

test('configuration: keys are not substituted', () => {
  const { modules } = configuration(`${MINIMAL}modules: { m: { "\${A}": 1 } }\n`);
  assert.deepEqual(modules[0]?.params, { '${A}': 1 });
});

test('configuration: listen addresses, paths and limits may come from the environment', () => {
  const { listen, limits, log } = configuration(
    'listen: ["udp:${HOST}:${PORT:-5070}"]\nroutes: ${R}\nlimits: { handlers: "${H}" }\nlog: { level: "${L}" }\n',
    { HOST: '10.0.0.1', H: '12', L: 'warn', R: 'r.ts' },
  );
  assert.deepEqual(listen, [{ protocol: 'udp', host: '10.0.0.1', port: 5070 }]);
  assert.deepEqual([limits.handlers, log.level], [12, 'warn']);
});

const sample = defineModule({
  name: 'sample',
  doc: 'For tests.',
  depends: [],
  params: {
    count: param.int({ default: 1, min: 0, unit: 'count', doc: 'A number.' }),
    name: param.string({ default: '', doc: 'A text.' }),
    on: param.bool({ default: false, doc: 'A switch.' }),
  },
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

test('configuration: what the environment gives becomes a number or boolean only where the module declares one', () => {
  const { modules } = configuration(
    `${MINIMAL}modules: { sample: { count: "\${N}", name: "\${N}", on: "\${B}" } }\n`,
    { N: '7', B: 'true' },
  );
  const [request] = fitSubstituted(modules, [sample]);
  assert.deepEqual(request?.params, { count: 7, name: '7', on: true });
});

test('configuration: a quoted number that does not come from the environment stays a text, and is a mistake', () => {
  const { modules } = configuration(`${MINIMAL}modules: { sample: { count: "7", on: "\${B}" } }\n`, {
    B: 'maybe',
  });
  const { mistakes: found } = checkRequests([sample], fitSubstituted(modules, [sample]));
  assert.deepEqual(
    found.map(({ message }) => message),
    [
      '/etc/sip/k.yaml:3:22: sample.count: expected an integer of at least 0, found "7"',
      '/etc/sip/k.yaml:3:34: sample.on: expected true or false, found "${B}"',
    ],
  );
});

test('configuration: parameters of a module that is not known are left as they are', () => {
  const { modules } = configuration(`${MINIMAL}modules: { other: { count: "\${N}" } }\n`, { N: '7' });
  assert.deepEqual(fitSubstituted(modules, [sample])[0]?.params, { count: '7' });
});

test('configuration: a located scalar, list and mapping become plain data', () => {
  const place = { file: 'k', line: 1, column: 1 };
  const one = { kind: 'scalar', value: 1, place, substituted: false, unresolved: false, written: 1 } as const;
  const entries = new Map([
    ['a', { keyPlace: place, value: { kind: 'list', items: [one], place } as const }],
  ]);
  assert.deepEqual(plain({ kind: 'map', entries, place }), { a: [1] });
});

test("configuration: listen addresses that are given take the place of the file's, which may then have none", () => {
  const listen = [{ protocol: 'udp', host: '127.0.0.1', port: 5099 }] as const;
  for (const text of [MINIMAL, 'routes: r.ts']) {
    const result = parseConfiguration(text, { file: 'k.yaml', environment: {}, listen });
    assert.deepEqual([result.mistakes, result.configuration.listen], [[], listen]);
  }
});
