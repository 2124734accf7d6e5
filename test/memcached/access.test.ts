import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../core/registry/secret.ts';
import { readParam } from '../../core/registry/params.ts';
import { AccessRules } from '../../modules/memcached/access.ts';
import { params } from '../../modules/memcached/params.ts';
import { parseServers } from '../../modules/memcached/server-list.ts';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';

const skip = missing('openssl') ?? false;

function rulesOf(given: Partial<ReturnType<typeof defaultParams>>): AccessRules {
  const values = { ...defaultParams(), ...given };
  const parsed = parseServers(values.servers);
  assert.ok(parsed.ok, values.servers);
  return new AccessRules(values, parsed.servers, recordedLog());
}

const CONTRADICTIONS: readonly (readonly [Partial<ReturnType<typeof defaultParams>>, RegExp])[] = [
  [{ user: 'a' }, /user is set, password is not/],
  [{ password: new Secret('hush') }, /password is set, user is not/],
  [{ tls_ca_list: '/ca.pem' }, /tls_ca_list is set, but no server is reached over TLS/],
  [{ tls_server_name: 'a' }, /tls_server_name is set, but no server/],
  [{ tls: true, servers: 'unix:/run/mc.sock' }, /tls is set, but no server/],
  [{ tls: true, servers: 'embedded' }, /tls is set, but no server/],
  [{ tls: true, servers: 'a;tls=off' }, /tls is set, but no server/],
  [{ tls: true, tls_certificate: '/a.pem' }, /belong together/],
  [{ tls: true, tls_private_key: '/a.key' }, /belong together/],
  [{ tls: true, tls_ca_list: '/none/ca.pem' }, /ENOENT/],
];
for (const [given, message] of CONTRADICTIONS) {
  test(`access: ${JSON.stringify(given)} is a mistake`, () => {
    assert.throws(() => rulesOf(given), { code: 'ERR_MEMCACHED_ACCESS', message });
  });
}

test('access: a key that is not that of its certificate is a mistake', { skip }, () => {
  const authority = new Authority();
  const { certificateFile } = authority.issue('');
  const { keyFile } = authority.issue('');
  const given = { tls: true, tls_certificate: certificateFile, tls_private_key: keyFile };
  assert.throws(() => rulesOf(given), { code: 'ERR_MEMCACHED_ACCESS', message: /key values mismatch/ });
});

test('access: each server is reached as its entry says, else as the parameters say', () => {
  const given = { servers: 'a,b;tls=off,c;tls_name=x,unix:/s', tls: true, tls_server_name: 'y' };
  const parsed = parseServers(given.servers);
  assert.ok(parsed.ok);
  for (const [name, expected] of [
    ['y', ['y', null, 'x', null]],
    ['', ['a', null, 'x', null]],
  ] as const) {
    const rules = rulesOf({ ...given, tls_server_name: name });
    assert.deepEqual(
      parsed.servers.map((entry) => rules.accessOf(entry).tls?.name ?? null),
      expected,
    );
  }
});

function found(name: keyof typeof params, value: unknown): string {
  const result = readParam(params[name], value);
  assert.ok(!result.ok, name);
  return `${result.found}${result.why}`;
}

test('access: files that are no certificates or keys are refused where they are named', { skip }, () => {
  const { keyFile, certificateFile } = new Authority().issue('');
  assert.match(found('tls_ca_list', '/none'), /^"\/none": ENOENT/);
  assert.match(found('tls_ca_list', keyFile), /: error:|: PEM/i);
  assert.match(found('tls_certificate', keyFile), /: error:|: PEM/i);
  assert.match(found('tls_private_key', certificateFile), /: error:/i);
});

test('access: a password or user that memcached cannot take is refused, and does not show', () => {
  for (const text of ['hush hush', 'hush\n', 'hush'.repeat(100), '\u0000hush']) {
    assert.match(found('password', text), /^something else, not shown: it has /);
    assert.doesNotMatch(found('password', text), /hush/);
  }
  assert.match(found('user', 'a:b'), /a user name has no colon/);
  assert.match(found('user', 'a b'), /it has a space/);
});

test('access: what stands before an @ in servers, which may be a password, does not show', () => {
  for (const text of ['proxy:hush@a:1', 'a:1, proxy:hush@b;weight=2', 'hush@a@b', 'a;tls=hush@']) {
    const told = found('servers', text);
    assert.match(told, /a server has no @: user and password are parameters of their own/);
    assert.doesNotMatch(told, /hush/);
  }
});
