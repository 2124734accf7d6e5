import assert from 'node:assert/strict';
import { test } from 'node:test';
import { param } from '../../core/registry/params.ts';
import { coreWith, load, mistakeLines, mistakesOf, moduleOf, wanted, withoutPlace } from './fixtures.ts';
import { Registry } from '../../core/registry/registry.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const memcached = moduleOf('memcached', {
  params: {
    timeout: param.int({ default: 250, min: 1, max: 60_000, unit: 'ms', doc: 'Deadline.' }),
    servers: param.string({ default: 'localhost:11211', doc: 'Servers.' }),
  },
});

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  [
    'an unknown module, with the nearest name',
    () => load([memcached], wanted('memcache')),
    "ERR_MODULE_UNKNOWN: no module named 'memcache'; did you mean 'memcached'?",
  ],
  [
    'a module that stands there twice',
    () => load([memcached], wanted('memcached', 'memcached')),
    "ERR_MODULE_DUPLICATE: module 'memcached' is loaded twice",
  ],
  [
    'two modules of one name',
    () => load([memcached, moduleOf('memcached')], wanted('memcached')),
    "ERR_MODULE_NAME_TAKEN: two of the modules that can be loaded are named 'memcached': the built-in one and the built-in one",
  ],
  [
    'an unknown parameter, with the nearest name',
    () => load([memcached], [{ name: 'memcached', params: { timout: 5 } }]),
    "ERR_PARAM_UNKNOWN: module 'memcached' has no parameter 'timout'; did you mean 'timeout'?",
  ],
  [
    'a parameter out of range',
    () => load([memcached], [{ name: 'memcached', params: { timeout: 0 } }]),
    'ERR_PARAM_VALUE: memcached.timeout: expected an integer from 1 to 60000 (ms), found 0',
  ],
  [
    'a parameter named like a member of every object',
    () => load([memcached], [{ name: 'memcached', params: { constructor: 0 } }]),
    "ERR_PARAM_UNKNOWN: module 'memcached' has no parameter 'constructor'",
  ],
  [
    'a missing dependency',
    () => load([moduleOf('tm', { depends: ['sl'] }), moduleOf('sl')], wanted('tm')),
    "ERR_MODULE_DEPENDENCY: module 'tm' depends on 'sl', which is not loaded",
  ],
  [
    'a cycle, with its path',
    () => load([moduleOf('a', { depends: ['b'] }), moduleOf('b', { depends: ['a'] })]),
    'ERR_MODULE_CYCLE: modules depend on each other: a -> b -> a',
  ],
  [
    'a pseudo-variable of two modules',
    () => {
      const pseudoVariables = { $x: { doc: 'X.', plain: true, get: () => 1 } };
      return load([moduleOf('a', { pseudoVariables }), moduleOf('b', { pseudoVariables })]);
    },
    "ERR_PV_DUPLICATE: module 'b' exports $x, which module 'a' exports as well",
  ],
];
for (const [name, run, expected] of REFUSED) {
  test(`Registry.load: refuses ${name}`, () => {
    assert.deepEqual(mistakeLines(run), [expected]);
  });
}

const at = (line: number) => ({ file: 'kamailio.yaml', line, column: 3 });

test('Registry.load: reports all mistakes together, each with its place', () => {
  const requests = [
    { name: 'memcache', params: {}, place: at(4) },
    {
      name: 'memcached',
      params: { timeout: 'x', mod: 1 },
      place: at(5),
      placeOf: (name: string) => (name === 'timeout' ? at(6) : undefined),
    },
    { name: 'tm', params: {}, place: at(8) },
  ];
  const tm = moduleOf('tm', { depends: ['sl'] });
  const mistakes = mistakesOf(() => load([memcached, tm], requests));
  assert.deepEqual(
    mistakes.map(({ message }) => message),
    [
      "kamailio.yaml:4:3: no module named 'memcache'; did you mean 'memcached'?",
      "kamailio.yaml:5:3: module 'memcached' has no parameter 'mod'",
      'kamailio.yaml:6:3: memcached.timeout: expected an integer from 1 to 60000 (ms), found "x"',
      "kamailio.yaml:8:3: module 'tm' depends on 'sl', which is not loaded",
    ],
  );
});

test('Registry.load: runs no init when a check failed', () => {
  let ran = false;
  const eager = moduleOf('eager', { init: () => (ran = true) });
  assert.equal(mistakesOf(() => load([eager], wanted('eager', 'nope'))).length, 1);
  assert.equal(ran, false);
});

test('Registry.load: initialises in dependency order, with parameters, the API of dependencies and an own log', () => {
  const seen: unknown[] = [];
  const sl = moduleOf('sl', { init: () => ({ code: 200 }), api: (state) => ({ code: state.code }) });
  const tm = moduleOf('tm', {
    depends: ['sl'],
    params: { fr_timer: param.int({ default: 30_000, unit: 'ms', doc: 'Timer.' }) },
    init({ deps, params, log, core }) {
      log.info('hello');
      seen.push(deps, params, core.clock.now());
      return { tm: true };
    },
  });
  const { registry, log } = load([tm, sl, moduleOf('pv')], wanted('pv', 'tm', 'sl'));
  assert.deepEqual(registry.names, ['pv', 'sl', 'tm']);
  assert.deepEqual(seen, [{ sl: { code: 200 } }, { fr_timer: 30_000 }, 0]);
  assert.deepEqual(log.lines, [{ level: 'info', message: 'hello', fields: { module: 'tm' } }]);
  assert.deepEqual(
    registry.loaded.map(({ state }) => state),
    [{}, { code: 200 }, { tm: true }],
  );
});

test('Registry.load: names each module whose init throws, with the cause, and leaves out what depends on it', () => {
  const cause = new Error('bad servers');
  let ran = false;
  const available = [
    moduleOf('a', {
      init() {
        throw cause;
      },
    }),
    moduleOf('b', { depends: ['a'], init: () => (ran = true) }),
    moduleOf('c', { init: () => Promise.reject(new Error('late')) }),
  ];
  const mistakes = mistakesOf(() => load(available));
  assert.deepEqual(
    mistakes.map(({ code, message }) => [code, withoutPlace(message)]),
    [
      ['ERR_MODULE_INIT', "module 'a' could not be initialised: bad servers"],
      [
        'ERR_MODULE_INIT',
        "module 'c' could not be initialised: init returned a promise; what has to wait belongs into start",
      ],
    ],
  );
  assert.equal(mistakes[0]?.cause, cause);
  assert.equal(ran, false);
});

test('Registry.load: a parameter that an init refuses is placed where it stands, else where the module does', () => {
  const place = { file: 'k.yaml', line: 3, column: 3 };
  const refused = (message: string) =>
    mistakesOf(() =>
      Registry.load(
        [
          moduleOf('a', {
            params: { size: param.int({ default: 1, unit: 'count', doc: 'A size.' }) },
            init() {
              throw new Error(message);
            },
          }),
        ],
        [{ name: 'a', params: {}, place, placeOf: (name) => ({ ...place, line: name === 'size' ? 4 : 5 }) }],
        { log: recordedLog(), core: coreWith(new FakeClock()) },
      ),
    ).map((mistake) => mistake.place?.line);
  assert.deepEqual(refused('a.size: too large'), [4]);
  for (const other of ['a.other: too large', 'b.size: too large', 'size: too large', 'a'])
    assert.deepEqual(refused(other), [3], other);
});

test('Registry.load: names the line of the module where its init failed', () => {
  const available = [
    moduleOf('a', {
      init: () => JSON.parse('{') as unknown,
    }),
  ];
  const [mistake] = mistakesOf(() => load(available));
  assert.match(mistake?.message ?? '', /^module 'a' could not .* \(\/\S*registry-load\.test\.[jt]s:\d+\)$/);
});

test('Registry.load: keeps the core services for what routes need', () => {
  const core = coreWith(new FakeClock());
  assert.equal(Registry.load([], [], { log: recordedLog(), core }).core, core);
});
