import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { errors } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { PvRef } from '../../core/registry/module.ts';
import type { ParamValues } from '../../core/registry/params.ts';
import type { FormatService } from '../../core/registry/services.ts';
import { namedKey } from '../../modules/memcached/key-reference.ts';
import { memcached } from '../../modules/memcached/memcached.ts';
import { callOf, fakeCore, fakeFormats, request } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';
import { type Backend, backends, PATIENT_TIMEOUT_MS, rawExchange, realClock } from './rig.ts';

type Variables = typeof memcached.pseudoVariables;
type Refs = { readonly [N in keyof Variables]: PvRef<Variables[N]> };

interface Started {
  readonly state: ReturnType<typeof memcached.init>;
  readonly pv: Refs;
}

const DEFAULTS: ParamValues<typeof memcached.params> = {
  ...defaultParams(),
  servers: 'embedded',
  expire: 100,
  timeout: PATIENT_TIMEOUT_MS,
  budget: 0,
  journal: 0,
};

/** The module as the core starts it, and its variables as a route sees them. */
async function started(
  t: TestContext,
  params: Partial<ParamValues<typeof memcached.params>>,
  { log = recordedLog(), formats = fakeFormats({}) }: { log?: Logger; formats?: FormatService } = {},
): Promise<Started> {
  const core = { ...fakeCore(), clock: realClock(t), formats };
  const state = memcached.init({ params: { ...DEFAULTS, ...params }, log, core, deps: {} });
  await memcached.start?.(state);
  t.after(() => memcached.stop?.(state));
  const call = callOf(state, request());
  const { $mct, $mcinc, $mcdec, $mctex } = memcached.pseudoVariables;
  return {
    state,
    pv: {
      $mct: (...inner) => ({
        get: () => $mct.get(call, ...inner),
        set: (value) => $mct.set(call, value, ...inner),
      }),
      $mcinc: (...inner) => ({
        get: () => $mcinc.get(call, ...inner),
        set: (n) => $mcinc.set(call, n, ...inner),
      }),
      $mcdec: (...inner) => ({
        get: () => $mcdec.get(call, ...inner),
        set: (n) => $mcdec.set(call, n, ...inner),
      }),
      $mctex: (...inner) => ({
        get: () => $mctex.get(call, ...inner),
        set: (s) => $mctex.set(call, s, ...inner),
      }),
    },
  };
}

/** Runs one test on every kind of server. */
function onEach(name: string, run: (t: TestContext, backend: Backend) => Promise<void>): void {
  for (const kind of backends) {
    test(`variables on ${kind.name}: ${name}`, { skip: kind.skip }, async (t) => run(t, await kind.start(t)));
  }
}

onEach('the first examples of the manual', async (t, { servers }) => {
  const { pv } = await started(t, { servers });
  assert.equal(await pv.$mct('test').set(1), 'stored');
  assert.equal(await pv.$mct('test').get(), 1);
  assert.equal(await pv.$mct('test').set(null), 'removed');
  assert.equal(await pv.$mct('test').get(), null);
  assert.equal(await pv.$mct('test').set(null), 'missing');
  await pv.$mct('cnt').set(1);
  assert.equal(await pv.$mcinc('cnt').set(1), 2);
  assert.equal(await pv.$mcinc('cnt').get(), 2);
  assert.equal(await pv.$mcdec('cnt').set(1), 1);
  assert.equal(await pv.$mcdec('cnt').get(), 1);
});

onEach('a counter that is not there gives null and is not created', async (t, { servers }) => {
  const { pv } = await started(t, { servers });
  assert.equal(await pv.$mcinc('nope').set(1), null);
  assert.equal(await pv.$mcdec('nope').set(1), null);
  assert.equal(await pv.$mct('nope').get(), null);
});

onEach(
  'a text that is no number, and a step that is none, are errors that change nothing',
  async (t, { servers }) => {
    const { pv } = await started(t, { servers });
    await pv.$mct('text').set('abc');
    const expected = errors.ERR_MEMCACHED_NOT_A_NUMBER('$mcinc', 'text');
    await assert.rejects(pv.$mcinc('text').set(1), { code: expected.code, message: expected.message });
    await assert.rejects(pv.$mcdec('text').set(1), { code: 'ERR_MEMCACHED_NOT_A_NUMBER' });
    await assert.rejects(pv.$mcinc('text').set(-1), { code: 'ERR_MEMCACHED_VALUE' });
    await assert.rejects(pv.$mcdec('text').set(0.5), { code: 'ERR_MEMCACHED_VALUE' });
    assert.equal(await pv.$mct('text').get(), 'abc');
  },
);

onEach('the lifetime is that of the key, of the options, or the default', async (t, { servers, address }) => {
  const { pv } = await started(t, { servers, expire: 0 });
  await pv.$mct('a').set('v');
  await pv.$mct(...namedKey('b=>1')).set('v');
  await pv.$mct('c', { expire: 1 }).set('v');
  await pv.$mct`d=>1`.set('v');
  for (const key of ['a', 'b', 'c', 'd']) assert.equal(await pv.$mct(key).get(), 'v');
  // The server tells which keys have a lifetime only by their end.
  const present = async (): Promise<string[]> => {
    const answer = await rawExchange(address, 'get a b c d\r\n');
    return [...answer.matchAll(/VALUE (\w)/g)].map((match) => match[1] ?? '');
  };
  for (let keys = await present(); keys.length > 1; keys = await present());
  assert.deepEqual(await present(), ['a']);
});

onEach('$mctex gives another lifetime, and reads as null', async (t, { servers, address }) => {
  const { pv } = await started(t, { servers });
  await pv.$mct('k').set('v');
  assert.equal(await pv.$mctex('k').get(), null);
  assert.equal(await pv.$mctex('k').set(60), 'touched');
  assert.equal(await pv.$mctex('nope').set(60), 'missing');
  assert.equal(await rawExchange(address, 'get k\r\n'), 'VALUE k 1 1\r\nv\r\nEND\r\n');
  await assert.rejects(pv.$mctex('k').set(-1), { code: 'ERR_MEMCACHED_EXPIRE' });
});

onEach('mode 1 and stringify do what they say', async (t, { servers }) => {
  const { pv } = await started(t, { servers, mode: 1, stringify: 1 });
  assert.equal(await pv.$mct('k').set(5), 'stored');
  assert.equal(await pv.$mct('k').set(6), 'exists');
  assert.equal(await pv.$mct('k').get(), '5');
});

onEach('a value that is too large is refused', async (t, { servers }) => {
  const { pv } = await started(t, { servers });
  assert.equal(await pv.$mct('k').set('x'.repeat(1_048_577)), 'too-large');
});

test('variables: keys made from hostile Call-IDs are taken as they are, and stay apart', async (t) => {
  const expanded: string[] = [];
  const formats = {
    ...fakeFormats({}),
    expandKey: (_scope: unknown, format: string) => {
      expanded.push(format);
      return 'expanded';
    },
  };
  const { pv } = await started(t, {}, { formats });
  const callIds = [
    'x=>0',
    'x=>',
    'x=>abc',
    '$ru',
    '$ci',
    '$(',
    '$$',
    '$mct(x)',
    '$null',
    '${a}',
    'x',
    'x ',
    'x\r\n',
    'x\0',
  ];
  for (const callId of callIds) {
    await pv.$mct(`call::${callId}`).set(callId);
    await pv.$mct`tagged::${callId}`.set(callId);
  }
  for (const callId of callIds) {
    assert.equal(await pv.$mct(`call::${callId}`).get(), callId);
    assert.equal(await pv.$mct`tagged::${callId}`.get(), callId);
  }
  assert.deepEqual(expanded, []);
});

test('variables: a template expands the variables in its constant parts', async (t) => {
  const { pv } = await started(
    t,
    {},
    { formats: fakeFormats({ $ci: 'c1@host', '$mct(x)': Promise.resolve('y') }) },
  );
  await pv.$mct`call::$ci`.set('direct');
  assert.equal(await pv.$mct('call::c1@host').get(), 'direct');
  await pv.$mct`call::$mct(x)/${'$ci'}`.set('waited');
  assert.equal(await pv.$mct('call::y/$ci').get(), 'waited');
});

test('variables: a string that ends like a lifetime is a key, and warned about, once', async (t) => {
  const log = recordedLog();
  const { pv } = await started(t, {}, { log });
  await pv.$mct('k=>60', {}).set('v');
  await pv.$mct`k=>60`.get();
  assert.equal(log.lines.length, 0);
  assert.equal(await pv.$mct('k=>60').get(), 'v');
  await pv.$mct('k=>60').get();
  assert.equal(log.lines.filter(({ message }) => message.includes('a key ends like a lifetime')).length, 1);
});

test('variables: they and the functions keep the order in which one turn asks for them', async (t) => {
  const { state, pv } = await started(t, {});
  const { read, count } = memcached.functions;
  const call = callOf(state, request());
  await state.client.write('k', 'old');
  const written = pv.$mct('k').set('new');
  assert.deepEqual(await read.call(call, 'k'), { status: 'hit', value: 'new' });
  assert.equal(await written, 'stored');
  await state.client.write('c', 5);
  const removed = pv.$mct('c').set(null);
  assert.deepEqual(await count.call(call, 'c').add(1), { status: 'done', value: 1 });
  assert.equal(await removed, 'removed');
  const inTurn = [pv.$mcinc('c').set(4), pv.$mcdec('c').set(2), pv.$mct('c').get()];
  assert.deepEqual(await Promise.all([...inTurn, read.call(call, 'c')]), [
    5,
    3,
    3,
    { status: 'hit', value: 3 },
  ]);
});

test('variables: with no server they read null, write down and throw nothing', async (t) => {
  const { pv } = await started(t, { servers: 'unix:/nonexistent/kamaiki' });
  assert.equal(await pv.$mct('k').get(), null);
  assert.equal(await pv.$mct('k').set('v'), 'down');
  assert.equal(await pv.$mct('k').set(null), 'down');
  assert.equal(await pv.$mcinc('k').set(1), null);
  assert.equal(await pv.$mcdec('k').set(1), null);
  assert.equal(await pv.$mctex('k').set(1), 'down');
});

test('module: the functions reach the client', async (t) => {
  const { state } = await started(t, {});
  const call = callOf(state, request());
  const { read, write, increment, decrement, count, touch, remove, statistics } = memcached.functions;
  assert.deepEqual(await write.call(call, 'n', 5, { expire: 60 }), { status: 'stored' });
  assert.deepEqual(await increment.call(call, 'n', 2), { status: 'done', value: 7 });
  assert.deepEqual(await decrement.call(call, 'n', 1), { status: 'done', value: 6 });
  assert.deepEqual(await count.call(call, 'c').add(3), { status: 'done', value: 3 });
  assert.deepEqual(await touch.call(call, 'n', 60), { status: 'touched' });
  assert.deepEqual(await read.call(call, 'n'), { status: 'hit', value: 6 });
  assert.deepEqual(await remove.call(call, 'n'), { status: 'removed' });
  assert.deepEqual(
    Object.values(statistics.call(call)).map(({ get }) => get.hits),
    [1],
  );
  assert.equal(memcached.api?.(state).client, state.client);
});

test('module: variables named in text split their keys, those in routes expand templates', () => {
  for (const [name, { expands, parse }] of Object.entries(memcached.pseudoVariables)) {
    assert.equal(expands, true, name);
    assert.deepEqual(parse('k=>60'), ['k', { expire: 60 }], name);
  }
});

test('module: a typed key may hold =>', async (t) => {
  const { state } = await started(t, {});
  await state.client.write('a=>60', 'v');
  assert.deepEqual(await state.client.read('a'), { status: 'miss' });
  assert.deepEqual(await state.client.read('a=>60'), { status: 'hit', value: 'v' });
});
