import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ParamValues, readParam } from '../../core/registry/params.ts';
import { memcached } from '../../modules/memcached/memcached.ts';
import { fakeCore } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';

test('module: parameters that cannot be are refused with their reason', () => {
  const log = recordedLog();
  const init = (params: Partial<ParamValues<typeof memcached.params>>) =>
    memcached.init({ params: { ...defaultParams(), ...params }, log, core: fakeCore(), deps: {} });
  assert.throws(() => init({ servers: 'a:x' }), {
    code: 'ERR_MEMCACHED_SERVERS',
    message: /'a:x'.*found 'x'/,
  });
  assert.throws(() => init({ expire: 2_592_001 }), {
    code: 'ERR_MEMCACHED_EXPIRE',
    message: /Unix time in the future/,
  });
  assert.equal(memcached.params.servers.schema.safeParse('a:x').success, false);
  assert.equal(memcached.params.timeout.schema.safeParse(0).success, false);
});

test('module: servers given as a list are shown as one, not as the text that is expected', () => {
  const { servers } = memcached.params;
  const read = readParam(servers, ['localhost:11211']);
  assert.deepEqual(read.ok ? null : read.found, 'a list');
});

test('module: the parameters have the defaults of the manual', () => {
  const defaults = Object.entries(memcached.params).map(([name, param]) => [name, param.default]);
  assert.deepEqual(defaults, [
    ['servers', 'localhost:11211'],
    ['groups', {}],
    ['limits_group', ''],
    ['prefix', ''],
    ['expire', 10_800],
    ['mode', 0],
    ['timeout', 250],
    ['budget', 1000],
    ['journal', 10_000],
    ['slow_log', 0],
    ['stringify', 0],
    ['tls', false],
    ['tls_ca_list', ''],
    ['tls_certificate', ''],
    ['tls_private_key', ''],
    ['tls_server_name', ''],
    ['tls_verify', true],
    ['user', ''],
    ['password', memcached.params.password.default],
  ]);
});

test('module: used before its start it says so', () => {
  const state = memcached.init({ params: defaultParams(), log: recordedLog(), core: fakeCore(), deps: {} });
  assert.throws(() => state.client, /before it was started/);
});
