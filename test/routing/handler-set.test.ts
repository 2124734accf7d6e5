import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesArmedBy } from '../../core/routing/armed-names.ts';
import { handlerSet } from '../../core/routing/handler-set.ts';
import { load, mistakeLines, moduleOf } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const { registry } = load([moduleOf('memcached'), moduleOf('tm')]);
const install = (routes: unknown) => handlerSet(routes, registry, { file: 'routes.ts', log: recordedLog() });
const request = (): void => undefined;

const REFUSED: readonly (readonly [string, unknown, readonly string[]])[] = [
  [
    'what is no object',
    undefined,
    [
      'ERR_ROUTE_SHAPE: routes.ts: the default export: expected an object made with defineRoutes, found undefined',
    ],
  ],
  [
    'routes without a request handler',
    { uses: [] },
    ['ERR_ROUTE_SHAPE: routes.ts: request: expected a function, found undefined'],
  ],
  [
    'routes without uses',
    { request },
    ['ERR_ROUTE_SHAPE: routes.ts: uses: expected an array of module names, found undefined'],
  ],
  [
    'a name in uses that is no text',
    { uses: [7], request },
    ['ERR_ROUTE_SHAPE: routes.ts: uses: expected an array of module names, found 7'],
  ],
  [
    'a module that is not loaded, with the nearest name',
    { uses: ['tm', 'memcache', 'dialog'], request },
    [
      "ERR_ROUTE_USES: routes.ts: routes use module 'memcache', which is not loaded; did you mean 'memcached'?",
      "ERR_ROUTE_USES: routes.ts: routes use module 'dialog', which is not loaded",
    ],
  ],
  [
    'an unknown key, with the nearest one',
    { uses: [], request, failures: {} },
    [
      "ERR_ROUTE_SHAPE: routes.ts: failures: expected one of uses, request, reply, onreply, failure, branch, found {}; did you mean 'failure'?",
    ],
  ],
  [
    'handlers that are no functions',
    { uses: [], request: 1, reply: 'x', onreply: { a: null }, failure: request },
    [
      'ERR_ROUTE_SHAPE: routes.ts: request: expected a function, found 1',
      'ERR_ROUTE_SHAPE: routes.ts: reply: expected a function, found "x"',
      'ERR_ROUTE_SHAPE: routes.ts: onreply a: expected a function, found null',
      'ERR_ROUTE_SHAPE: routes.ts: failure: expected an object of functions, found a function',
    ],
  ],
];
for (const [name, routes, expected] of REFUSED) {
  test(`routes: refuse ${name}`, () => {
    assert.deepEqual(
      mistakeLines(() => install(routes)),
      expected,
    );
  });
}

test('routes: refuse names of handlers that do not exist, in any handler', () => {
  const routes = {
    uses: ['tm'],
    request,
    failure: {
      // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- handlers as a JavaScript file has them
      busy: new Function(
        '{ ksr }',
        "ksr.tm.t_on_failure('bsy'); ksr.tm.t_on_reply('media'); ksr.tm.t_on_branch('b');",
      ),
    },
    branch: { b: request },
  };
  assert.deepEqual(
    mistakeLines(() => install(routes)),
    [
      "ERR_ROUTE_NAME: routes.ts: failure busy calls t_on_failure('bsy'), but there is no failure handler of that name; did you mean 'busy'?",
      "ERR_ROUTE_NAME: routes.ts: failure busy calls t_on_reply('media'), but there is no onreply handler of that name",
    ],
  );
});

const SOURCES: readonly (readonly [string, readonly string[]])[] = [
  ["ksr.tm.t_on_failure('busy')", ['failure busy']],
  ['ksr.tm.t_on_reply( "media" )', ['onreply media']],
  ['tm.t_on_branch(`b`); t_on_branch("c")', ['branch b', 'branch c']],
  ['t_on_failure(name)', []],
  ['t_on_failure(`to-${name}`)', []],
  ["// t_on_failure('old')\nt_on_failure('new')", ['failure new']],
  ["/* t_on_failure('old') */ const url = 'http://x'; t_on_failure('new')", ['failure new']],
  ["const text = 'it\\'s // no comment'; t_on_failure('new')", ['failure new']],
  ["my_t_on_failure('other')", []],
];
for (const [source, expected] of SOURCES) {
  test(`namesArmedBy: finds ${expected.join(', ') || 'nothing'} in ${JSON.stringify(source)}`, () => {
    assert.deepEqual(
      namesArmedBy(source).map(({ kind, name }) => `${kind} ${name}`),
      expected,
    );
  });
}

test('routes: give every handler a log that names it', () => {
  const log = recordedLog();
  const routes = { uses: [], request, failure: { busy: request } };
  const set = handlerSet(routes, registry, { file: 'routes.ts', log });
  set.request.log.info('x');
  set.named.failure.get('busy')?.log.info('y');
  assert.deepEqual(
    log.lines.map(({ fields }) => fields),
    [{ route: 'request' }, { route: 'failure busy' }],
  );
});
