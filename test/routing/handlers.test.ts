import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { errors } from '../../core/errors.ts';
import { isFields } from '../../core/registry/fields.ts';
import type { RouteKind, Scope } from '../../core/registry/scope.ts';
import { Handlers } from '../../core/routing/handlers.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { deferred, scopeOf, settled } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const FILE = '/etc/kamaiki/routes.ts';
const TIMEOUT_MS = 5_000;

function handlersOf(routes: object, file = FILE) {
  const log = recordedLog();
  const clock = new FakeClock();
  const handlers = new Handlers({ log, clock, timeoutMs: TIMEOUT_MS });
  handlers.install({ uses: [], ...routes }, { loaded: [] }, { file });
  const messages = () =>
    log.lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level}: ${message}`);
  return { handlers, log, clock, messages };
}

test('handlers: one that returns no promise costs none', () => {
  const seen: unknown[] = [];
  const { handlers, clock } = handlersOf({ request: ({ msg }: Scope) => seen.push(msg) });
  const scope = scopeOf('request', { method: 'OPTIONS' });
  assert.equal(handlers.runRequest(scope), true);
  assert.deepEqual(seen, [{ method: 'OPTIONS' }]);
  assert.deepEqual([handlers.running, clock.pending], [0, 0]);
});

test('handlers: one that waits is counted until it ends', async () => {
  const gate = deferred();
  const { handlers, clock } = handlersOf({ request: () => gate.promise });
  const run = handlers.runRequest(scopeOf('request'));
  assert.ok(run instanceof Promise);
  assert.deepEqual([handlers.running, clock.pending], [1, 1]);
  gate.resolve();
  assert.equal(await run, true);
  assert.deepEqual([handlers.running, clock.pending], [0, 0]);
});

test('handlers: run the one that the scope and the name say', () => {
  const ran: string[] = [];
  const note = (what: string) => () => void ran.push(what);
  const { handlers } = handlersOf({
    request: note('request'),
    reply: note('reply'),
    onreply: { x: note('onreply x') },
    failure: { x: note('failure x'), y: note('failure y') },
    branch: { x: note('branch x') },
  });
  const runs: readonly (readonly [RouteKind, string | null])[] = [
    ['request', null],
    ['reply', null],
    ['onreply', 'x'],
    ['failure', 'y'],
    ['failure', 'x'],
    ['branch', 'x'],
  ];
  for (const [route, name] of runs) assert.equal(handlers.run(scopeOf(route), name), true);
  assert.deepEqual(ran, ['request', 'reply', 'onreply x', 'failure y', 'failure x', 'branch x']);
  assert.equal(handlers.hasReplyHandler, true);
  assert.deepEqual([handlers.has('failure', 'y'), handlers.has('branch', 'y')], [true, false]);
});

test('handlers: one of which there is none is logged and ends badly', () => {
  const { handlers, log, messages } = handlersOf({ request() {} });
  assert.equal(handlers.run(scopeOf('failure', { callId: 'c1' }), 'gone'), false);
  assert.deepEqual(messages(), [
    'error: there is no failure gone handler: was it renamed or left out when the routes were loaded anew?',
  ]);
  assert.deepEqual(log.lines[0]?.fields, { route: 'failure gone', callId: 'c1' });
  assert.equal(handlers.hasReplyHandler, false);
  const none = new Handlers({ log: recordedLog(), clock: new FakeClock(), timeoutMs: 1 });
  assert.equal(none.runRequest(scopeOf('request')), false);
  assert.deepEqual([none.hasReplyHandler, none.has('failure', 'x')], [false, false]);
});

test('handlers: this is the routes object', () => {
  const seen: unknown[] = [];
  const routes = {
    uses: [],
    request() {
      seen.push(this);
    },
  };
  const handlers = new Handlers({ log: recordedLog(), clock: new FakeClock(), timeoutMs: 1 });
  handlers.install(routes, { loaded: [] }, { file: FILE });
  assert.equal(handlers.runRequest(scopeOf('request')), true);
  assert.equal(seen[0], routes);
});

test('handlers: the time limit ends one that waits too long; what it does later is ignored', async () => {
  const gate = deferred();
  const failed = deferred();
  const { handlers, clock, log, messages } = handlersOf({
    request: () => gate.promise,
    failure: { busy: () => failed.promise.then(() => assert.fail('late')) },
  });
  const runs = [
    handlers.runRequest(scopeOf('request', { callId: '8@a' })),
    handlers.run(scopeOf('failure'), 'busy'),
  ];
  clock.advance(TIMEOUT_MS - 1);
  await settled();
  assert.equal(handlers.running, 2);
  clock.advance(1);
  assert.deepEqual(await Promise.all(runs.map(async (run) => run)), [false, false]);
  assert.equal(handlers.running, 0);
  gate.resolve();
  failed.resolve();
  await settled();
  assert.equal(handlers.running, 0);
  assert.deepEqual(messages(), [
    'error: handler request took longer than 5000 ms and was given up',
    'error: handler failure busy took longer than 5000 ms and was given up',
  ]);
  assert.equal(log.lines[0]?.fields['callId'], '8@a');
});

/** Routes as a user's TypeScript file, compiled as the loader does: every frame of a stack names the source. */
const SOURCE = `import { strict as assert } from 'node:assert';
interface Context { readonly msg: { readonly method: string } }

export default {
  uses: [],
  request({ msg }: Context): void {
    throw new TypeError('no ' + msg.method);
  },
  failure: {
    async busy(): Promise<void> {
      await null;
      assert.equal(1, 2, 'not equal');
    },
  },
};
`;
const FAILURES: readonly (readonly [RouteKind, string | null, string, string, number])[] = [
  ['request', null, 'request', 'no INVITE', 7],
  ['failure', 'busy', 'failure busy', 'not equal', 12],
];
for (const [route, name, label, message, line] of FAILURES) {
  test(`handlers: an error in ${label} is one line with its place in the .ts file`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'kamaiki-routes-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'routes.ts');
    const { code } = await transform(SOURCE, { loader: 'ts', sourcemap: 'inline', sourcefile: file });
    process.setSourceMapsEnabled(true);
    await writeFile(join(folder, 'routes.mjs'), code);
    const routes: unknown = await import(pathToFileURL(join(folder, 'routes.mjs')).href);
    assert.ok(isFields(routes) && isFields(routes['default']));
    const { handlers, log, messages } = handlersOf(routes['default'], file);
    assert.equal(await handlers.run(scopeOf(route, { method: 'INVITE', callId: '7@a' }), name), false);
    assert.deepEqual(messages(), [`error: handler ${label} failed at ${file}:${line}: ${message}`]);
    assert.deepEqual(log.lines[0]?.fields, {
      route: label,
      at: `${file}:${line}`,
      callId: '7@a',
    });
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['error', 'debug'],
    );
    assert.match(log.lines[1]?.message ?? '', /\n\s+at /);
  });
}

test('handlers: an error from elsewhere is placed at its first frame outside of the core', async () => {
  const { handlers, messages } = handlersOf({ request: () => JSON.parse('{') as unknown });
  assert.equal(handlers.runRequest(scopeOf('request')), false);
  assert.match(messages()[0] ?? '', /^error: handler request failed at .*handlers\.test\.[jt]s:\d+: /);
});

test('handlers: a ProxyError keeps its code, and what is no Error is shown with the file alone', () => {
  const thrown: unknown[] = [errors.ERR_PV_UNKNOWN('$x', ''), 'just text'];
  const { handlers, log, messages } = handlersOf({
    request() {
      throw thrown.shift();
    },
  });
  assert.deepEqual(
    [handlers.runRequest(scopeOf('request')), handlers.runRequest(scopeOf('request'))],
    [false, false],
  );
  assert.equal(log.lines[0]?.fields['code'], 'ERR_PV_UNKNOWN');
  assert.equal(messages()[1], `error: handler request failed at ${FILE}: "just text"`);
});

test('handlers: a reload changes those that run next; one that runs ends as it began', async () => {
  const gate = deferred();
  const ran: string[] = [];
  const { handlers } = handlersOf({
    async request() {
      await gate.promise;
      ran.push('old');
    },
    failure: { busy() {} },
  });
  const run = handlers.runRequest(scopeOf('request'));
  handlers.install({ uses: [], request: () => ran.push('new') }, { loaded: [] }, { file: FILE });
  assert.equal(handlers.runRequest(scopeOf('request')), true);
  assert.equal(handlers.has('failure', 'busy'), false);
  gate.resolve();
  assert.equal(await run, true);
  assert.deepEqual(ran, ['new', 'old']);
});

test('handlers: a broken reload leaves the old routes in place', () => {
  const ran: string[] = [];
  const { handlers } = handlersOf({ request: () => ran.push('old') });
  assert.throws(() => handlers.install({ uses: ['nope'] }, { loaded: [] }, { file: FILE }));
  assert.equal(handlers.runRequest(scopeOf('request')), true);
  assert.deepEqual(ran, ['old']);
});

const ODD_ERRORS: readonly (readonly [string, PropertyDescriptor])[] = [
  ['message', { value: { status: 418 } }],
  ['message', { value: undefined }],
  [
    'message',
    {
      get: () => {
        throw new Error('not now');
      },
    },
  ],
  ['stack', { value: [] }],
];
function fail(key: string, descriptor: PropertyDescriptor): never {
  throw Object.defineProperty(new Error('x'), key, descriptor);
}
for (const [i, [key, descriptor]] of ODD_ERRORS.entries()) {
  test(`handlers: one that fails with an error of an odd ${key} has failed like any other (${i})`, async () => {
    const { handlers, messages } = handlersOf({
      request: () => fail(key, descriptor),
      failure: { later: async () => fail(key, descriptor) },
    });
    assert.equal(handlers.runRequest(scopeOf('request')), false);
    assert.equal(await handlers.run(scopeOf('failure'), 'later'), false);
    assert.deepEqual([handlers.running, messages().length], [0, 2]);
  });
}
