import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseConfiguration } from '../../core/main/configuration.ts';
import type { ParamValues } from '../../core/registry/params.ts';
import { checkRequests } from '../../core/registry/load-checks.ts';
import { serverName } from '../../modules/memcached/server-list.ts';
import { memcached } from '../../modules/memcached/memcached.ts';
import { callOf, fakeCore, fakeFormats, request } from '../modules/fake-core.ts';
import { freePort } from '../programs/free-port.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';
import { FakeServer } from './fake-server.ts';
import { onEachBackend } from './limits-rig.ts';
import { backends, PATIENT_TIMEOUT_MS, rawExchange, realClock } from './rig.ts';

type Params = Partial<ParamValues<typeof memcached.params>>;

/** A handler's call of the module, started with these parameters. */
async function started(t: TestContext, params: Params, log = recordedLog()) {
  const core = { ...fakeCore(), clock: realClock(t), formats: fakeFormats({ $ci: 'c1@host' }) };
  const values = { ...defaultParams(), servers: 'embedded', timeout: PATIENT_TIMEOUT_MS, ...params };
  const state = memcached.init({ params: values, log, core, deps: {} });
  await memcached.start?.(state);
  t.after(() => memcached.stop?.(state));
  return callOf(state, request());
}

/** A value that a variable's key has. */
function constant(strings: TemplateStringsArray, ...values: string[]): [TemplateStringsArray, ...string[]] {
  return [strings, ...values];
}

const { $mct, $mcinc, $mcdec, $mctex } = memcached.pseudoVariables;
const { read, write, group, acquire, active, statistics } = memcached.functions;

onEachBackend('groups: a key lives in the group that it names, and nowhere else', async (t, backend) => {
  const call = await started(t, { groups: { limits: backend.servers } });
  await $mct.set(call, 'here', 'k');
  assert.equal(await $mct.get(call, 'k', { group: 'limits' }), null);
  assert.equal(await $mct.set(call, 'there', ...constant`@limits|k`), 'stored');
  assert.equal(await $mct.get(call, 'k', { group: 'limits' }), 'there');
  assert.equal(await $mct.get(call, ...constant`@limits|${'k'}`), 'there');
  assert.equal(await $mct.get(call, ...$mct.parse('@limits|k=>60')), 'there');
  assert.equal(await $mct.get(call, 'k'), 'here');
  assert.equal(await $mct.get(call, '@limits|k'), null);
  assert.equal(await rawExchange(backend.address, 'get k\r\n'), 'VALUE k 1 5\r\nthere\r\nEND\r\n');
});

test('groups: all variables take the group of their key', async (t) => {
  const call = await started(t, { groups: { limits: 'embedded' } });
  await $mct.set(call, 5, 'n', { group: 'limits' });
  assert.equal(await $mcinc.set(call, 2, ...constant`@limits|n`), 7);
  assert.equal(await $mcdec.set(call, 1, ...constant`@limits|n`), 6);
  assert.equal(await $mctex.set(call, 60, ...constant`@limits|n`), 'touched');
  assert.equal(await $mcinc.get(call, ...constant`@limits|n`), 6);
  assert.equal(await $mcinc.set(call, 1, 'n'), null);
});

test('groups: group(name) has the functions on keys, and so have modules that depend on this one', async (t) => {
  const call = await started(t, { groups: { limits: 'embedded' } });
  const limits = group.call(call, 'limits');
  assert.deepEqual(await limits.write('n', 5, { expire: 60 }), { status: 'stored' });
  assert.deepEqual(await limits.increment('n', 2), { status: 'done', value: 7 });
  assert.deepEqual(await limits.decrement('n', 1), { status: 'done', value: 6 });
  assert.deepEqual(await limits.count('c').add(3), { status: 'done', value: 3 });
  assert.deepEqual(await limits.touch('n', 60), { status: 'touched' });
  assert.deepEqual(await limits.read('n'), { status: 'hit', value: 6 });
  assert.deepEqual(await read.call(call, 'n'), { status: 'miss' });
  assert.deepEqual(await limits.remove('n'), { status: 'removed' });
  const api = memcached.api?.(call.state);
  assert.deepEqual(await api?.group('limits').read('c'), { status: 'hit', value: 3 });
  assert.deepEqual(Object.keys(statistics.call(call)), ['embedded', 'limits/embedded']);
});

test('groups: an unknown one is an error that lists those there are', async (t) => {
  const call = await started(t, { groups: { limits: 'embedded', calls: 'embedded' } });
  const unknown = {
    code: 'ERR_MEMCACHED_GROUP',
    message: "memcached: no group of servers named 'limit': the parameter groups has limits, calls",
  };
  assert.throws(() => group.call(call, 'limit'), unknown);
  await assert.rejects(async () => $mct.get(call, ...constant`@limit|k`), unknown);
  await assert.rejects(async () => $mct.set(call, 'v', 'k', { group: 'limit' }), unknown);
  await assert.rejects(async () => $mcinc.set(call, 1, ...$mcinc.parse('@limit|k')), unknown);
  assert.throws(() => memcached.api?.(call.state).group('constructor'), { code: 'ERR_MEMCACHED_GROUP' });
});

test('groups: limits_group that names none is an error at the start', () => {
  const params = { ...defaultParams(), limits_group: 'limits' };
  assert.throws(() => memcached.init({ params, log: recordedLog(), core: fakeCore(), deps: {} }), {
    code: 'ERR_MEMCACHED_GROUP',
    message: /named 'limits': the parameter groups has none/,
  });
});

test('groups: mistakes are found each at its place, and show no password', () => {
  const text = `listen: [udp:127.0.0.1:5060]
routes: r.ts
modules:
  memcached:
    groups:
      limits: "10.0.0.5:x"
      "two words": "a:1"
      calls: "a:1, b:2;weight=0"
      right: "[::1]:11211"
      number: 5
      door: "root:hunter2@a:1"
`;
  const { configuration } = parseConfiguration(text, { file: '/k.yaml', environment: {} });
  const { mistakes } = checkRequests([memcached], configuration.modules);
  const places = mistakes.map(({ code, message }) => `${code} ${/^[^ ]+ [^ ]+/.exec(message)?.[0] ?? ''}`);
  assert.deepEqual(places, [
    'ERR_PARAM_VALUE /k.yaml:6:7: memcached.groups.limits:',
    'ERR_PARAM_VALUE /k.yaml:7:7: memcached.groups.two',
    'ERR_PARAM_VALUE /k.yaml:8:7: memcached.groups.calls:',
    'ERR_PARAM_VALUE /k.yaml:10:7: memcached.groups.number:',
    'ERR_PARAM_VALUE /k.yaml:11:7: memcached.groups.door:',
  ]);
  assert.match(mistakes[0]?.message ?? '', /found "10.0.0.5:x": .*expected a port from 1 to 65535/);
  assert.ok(!mistakes.some(({ message }) => message.includes('hunter2')));
});

test('groups: the keys of a dead one fail at once and say whose they are, the others are served', async (t) => {
  const log = recordedLog();
  const dead = `127.0.0.1:${await freePort()}`;
  const call = await started(t, { groups: { limits: dead } }, log);
  const limits = group.call(call, 'limits');
  const outcome = await limits.increment('n', 1);
  assert.equal(outcome.status, 'down');
  assert.match(outcome.status === 'down' ? outcome.reason : '', new RegExp(`^limits/${dead}: `));
  assert.deepEqual(await write.call(call, 'n', 1), { status: 'stored' });
  // The counter has not moved to the servers that live.
  assert.equal((await limits.read('n')).status, 'down');
  assert.equal(
    log.lines.filter(({ message }) => message.includes(`memcached limits/${dead} is down`)).length,
    1,
  );
});

test('groups: limits count in limits_group', async (t) => {
  const call = await started(t, { groups: { limits: 'embedded' }, limits_group: 'limits' });
  const options = { max: 2, id: 'call', ttl: 60 };
  assert.equal((await acquire.call(call, 'acme', options)).status, 'acquired');
  assert.deepEqual(await active.call(call, 'acme'), { status: 'done', active: 1 });
  assert.equal((await read.call(call, 'lease:acme')).status, 'miss');
  assert.equal((await group.call(call, 'limits').read('lease:acme')).status, 'hit');
});

test('groups: all that one turn asks for leaves in one write for each server', async (t) => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => FakeServer.start(t)));
  const [a, b, c, d] = servers.map(({ address }) => serverName(address));
  const starting = started(t, { servers: `${a}, ${b}`, groups: { limits: `${c}, ${d}` } });
  for (const server of servers) {
    await server.received('version\r\n');
    server.write('VERSION 1\r\n');
  }
  const call = await starting;
  const limits = group.call(call, 'limits');
  const asked = Array.from({ length: 40 }, (_, i) => [
    read.call(call, `r${i}`),
    limits.read(`r${i}`),
    write.call(call, `w${i}`, i),
    limits.touch(`t${i}`, 60),
  ]).flat();
  const lines = /^(get|set|touch) /gm;
  for (const server of servers) {
    await server.received('get ');
    assert.equal(server.chunks.length, 2, 'the version and one more');
    const text = server.chunks[1] ?? '';
    assert.ok(text.endsWith('\r\n'));
    const answers = new Map([
      ['get', 'END\r\n'],
      ['set', 'STORED\r\n'],
      ['touch', 'TOUCHED\r\n'],
    ]);
    const names = [...text.matchAll(lines)].map(([, name = '']) => name);
    assert.equal(names.filter((name) => name === 'get').length, 1);
    server.write(names.map((name) => answers.get(name)).join(''));
  }
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assert.equal(statuses.length, 160);
  assert.deepEqual([...new Set(statuses)].toSorted(), ['miss', 'stored', 'touched']);
});

for (const kind of backends) {
  test(`prefix on ${kind.name}: it stands before every key that is sent`, { skip: kind.skip }, async (t) => {
    const { servers, address } = await kind.start(t);
    const prefixed = await started(t, { servers, prefix: 'prod:' });
    const plain = await started(t, { servers });
    await $mct.set(prefixed, 'v', ...constant`call::$ci`);
    await prefixed.state.client.count('n').add(2);
    await $mct.set(prefixed, 'long', 'L'.repeat(300));
    await acquire.call(prefixed, 'acme', { max: 2, id: 'call', ttl: 60 });
    const hashed = 'prod:a4c74e5d8afcfe40829904fb255565b1';
    assert.equal(
      await rawExchange(address, `get prod:call::c1@host prod:n ${hashed}\r\n`),
      `VALUE prod:call::c1@host 1 1\r\nv\r\nVALUE prod:n 0 1\r\n2\r\nVALUE ${hashed} 1 4\r\nlong\r\nEND\r\n`,
    );
    assert.match(await rawExchange(address, 'get prod:lease:acme\r\n'), /^VALUE/);
    assert.equal(await $mct.get(prefixed, 'n'), 2);
    assert.equal(await $mct.get(plain, 'n'), null);
    assert.equal(await $mct.get(plain, 'prod:n'), 2);
  });
}
