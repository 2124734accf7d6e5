import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { Authority } from '../programs/certificates.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { clientWith, startSecureMemcached, startTlsListener, untilRead } from './access-rig.ts';
import { FakeServer } from './fake-server.ts';
import { assertDown, TIMEOUT_MS } from './fault-rig.ts';

const skip = missing('memcached-tls') ?? missing('openssl') ?? false;
const authority = skip === false ? new Authority() : null;
const stranger = skip === false ? new Authority() : null;

/** The authorities, in tests that are not skipped. */
function authorities(): { readonly authority: Authority; readonly stranger: Authority } {
  assert.ok(authority !== null && stranger !== null);
  return { authority, stranger };
}

const IP = 'IP:127.0.0.1';

test('tls: values are written to a memcached with a certificate of the CA, and read from it', {
  skip,
}, async (t) => {
  const { authority: own } = authorities();
  const server = await startSecureMemcached(t, own.issue(IP));
  const { client, logged } = clientWith(t, {
    servers: server.server,
    tls: true,
    tls_ca_list: own.certificateFile,
  });
  const big = 'x'.repeat(300_000);
  assert.deepEqual(await client.write('k', big), { status: 'stored' });
  assert.deepEqual(await client.read('k'), { status: 'hit', value: big });
  assert.deepEqual(logged(), []);
});

const REFUSED: readonly (readonly [
  what: string,
  issue: () => readonly [Authority, string, number?],
  reason: RegExp,
])[] = [
  [
    'of another CA',
    () => [authorities().stranger, IP],
    /TLS: the server's certificate cannot be trusted: unable to verify/,
  ],
  [
    'of another address',
    () => [authorities().authority, 'IP:127.0.0.2'],
    /cannot be trusted: it is not that of 127\.0\.0\.1$/,
  ],
  [
    'with a name in place of the address',
    () => [authorities().authority, 'DNS:localhost'],
    /it is not that of 127\.0\.0\.1$/,
  ],
  [
    'that has expired',
    () => [authorities().authority, IP, -1],
    /cannot be trusted: certificate has expired$/,
  ],
];

for (const [what, issue, reason] of REFUSED) {
  test(`tls: a memcached with a certificate ${what} is down, said once, with the reason`, {
    skip,
  }, async (t) => {
    const [signer, names, days] = issue();
    const server = await startSecureMemcached(t, signer.issue(names, 'test', days));
    const ca = authorities().authority.certificateFile;
    const { client, logged } = clientWith(t, { servers: server.server, tls: true, tls_ca_list: ca });
    for (let i = 0; i < 20; i++) assertDown(await client.read('k'), reason);
    assert.equal(logged().length, 1);
    assert.match(logged()[0] ?? '', /^warn memcached 127\.0\.0\.1:\d+ is down: TLS: /);
  });

  test(`tls: nothing is sent to a server with a certificate ${what}`, { skip }, async (t) => {
    const [signer, names, days] = issue();
    const { certificate: cert, privateKey: key } = signer.issue(names, 'test', days);
    const { port, received } = await startTlsListener(t, { cert, key });
    const ca = authorities().authority.certificateFile;
    const { client } = clientWith(t, { servers: `127.0.0.1:${port}`, tls: true, tls_ca_list: ca });
    assertDown(await client.read('k'), reason);
    assert.equal(await received, '');
  });
}

test('tls: a server that knows no version above 1.1 is down, and gets nothing', { skip }, async (t) => {
  const { authority: own } = authorities();
  const { certificate: cert, privateKey: key } = own.issue(IP);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
  const { port, received } = await startTlsListener(t, { cert, key, ...old });
  const { client } = clientWith(t, {
    servers: `127.0.0.1:${port}`,
    tls: true,
    tls_ca_list: own.certificateFile,
    // What is wrong must be the version alone.
    tls_verify: false,
  });
  assertDown(await client.read('k'), /^TLS: .*(protocol version|unsupported protocol|during the handshake)/);
  assert.equal(await received, '');
});

test('tls: a server without TLS is down, and gets no command', { skip }, async (t) => {
  const server = await FakeServer.start(t);
  const { client } = clientWith(t, { servers: `127.0.0.1:${portOf(server)}`, tls: true });
  const reading = client.read('k');
  // A record of the kind that begins a handshake.
  await server.received('\x16\x03');
  server.write('ERROR\r\n');
  assertDown(await reading, /^TLS: the server does not speak TLS$/);
  assert.doesNotMatch(server.chunks.join(''), /version\r\n|get k/);
});

test('tls: a memcached without TLS is down within the timeout', { skip }, async (t) => {
  const server = await startMemcached();
  t.after(() => server.kill());
  const { client } = clientWith(t, { servers: server.server, tls: true }, { timeoutMs: TIMEOUT_MS });
  // It may wait for the end of a line, or find one in the handshake.
  assertDown(await client.read('k'), /TLS/);
});

test('tls: a handshake that does not end is down when the timeout has passed', { skip }, async (t) => {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const options = { clock, timeoutMs: TIMEOUT_MS };
  const { client } = clientWith(t, { servers: `127.0.0.1:${portOf(server)}`, tls: true }, options);
  const reading = client.read('k');
  await server.received('\x16\x03');
  clock.advance(TIMEOUT_MS);
  assertDown(await reading, /^no TLS handshake within the timeout$/);
});

function portOf({ address }: FakeServer): number {
  assert.ok(address.kind === 'tcp');
  return address.port;
}

test('tls: a memcached that is killed and started again is found again', { skip }, async (t) => {
  const { authority: own } = authorities();
  const pair = own.issue(IP);
  const server = await startSecureMemcached(t, pair);
  const { client } = clientWith(t, { servers: server.server, tls: true, tls_ca_list: own.certificateFile });
  assert.deepEqual(await client.read('k'), { status: 'miss' });
  await server.kill();
  await untilRead(client, 'down');
  await startSecureMemcached(t, pair, { port: server.port });
  await untilRead(client, 'miss');
});

test('tls: a CA that is exchanged while the proxy runs counts from the next connection on', {
  skip,
}, async (t) => {
  const { authority: own, stranger: other } = authorities();
  const ca = join(tempFolder(), 'ca.pem');
  copyFileSync(own.certificateFile, ca);
  const server = await startSecureMemcached(t, other.issue(IP));
  const { client } = clientWith(t, { servers: server.server, tls: true, tls_ca_list: ca });
  assertDown(await client.read('k'), /cannot be trusted/);
  copyFileSync(other.certificateFile, ca);
  await untilRead(client, 'miss');
});

test('tls: a file that is no certificate any more is told of once, and what it was before counts', {
  skip,
}, async (t) => {
  const { authority: own } = authorities();
  const ca = join(tempFolder(), 'ca.pem');
  copyFileSync(own.certificateFile, ca);
  const pair = own.issue(IP);
  const server = await startSecureMemcached(t, pair);
  const { client, logged } = clientWith(t, { servers: server.server, tls: true, tls_ca_list: ca });
  writeFileSync(ca, '');
  assert.deepEqual(await client.read('k'), { status: 'miss' });
  await server.kill();
  await untilRead(client, 'down');
  await startSecureMemcached(t, pair, { port: server.port });
  await untilRead(client, 'miss');
  assert.equal(logged().filter((line) => line.startsWith('error memcached: certificates are not')).length, 1);
});

test('tls: a memcached that asks for a certificate gets the one of the parameters', { skip }, async (t) => {
  const { authority: own } = authorities();
  const more = `,ssl_verify_mode=2,ssl_ca_cert=${own.certificateFile}`;
  const server = await startSecureMemcached(t, own.issue(IP), { more });
  const params = { servers: server.server, tls: true, tls_ca_list: own.certificateFile };
  const { certificateFile, keyFile } = own.issue('', 'proxy');
  const { client } = clientWith(t, { ...params, tls_certificate: certificateFile, tls_private_key: keyFile });
  assert.deepEqual(await client.read('k'), { status: 'miss' });
  const { client: nameless } = clientWith(t, params);
  assert.equal((await nameless.read('k')).status, 'down');
});

test('tls: tls_server_name, and tls_name after a server, say whose certificate it has to be', {
  skip,
}, async (t) => {
  const { authority: own } = authorities();
  const server = await startSecureMemcached(t, own.issue('DNS:cache.example'));
  const params = { servers: server.server, tls: true, tls_ca_list: own.certificateFile };
  const named = clientWith(t, { ...params, tls_server_name: 'cache.example' });
  assert.deepEqual(await named.client.read('k'), { status: 'miss' });
  const servers = `${server.server};tls_name=cache.example`;
  const itself = clientWith(t, { ...params, servers, tls_server_name: 'other.example' });
  assert.deepEqual(await itself.client.read('k'), { status: 'miss' });
  const wrong = clientWith(t, { ...params, tls_server_name: 'other.example' });
  assertDown(await wrong.client.read('k'), /it is not that of other\.example$/);
});

test('tls: one server can be reached over TLS and another without', { skip }, async (t) => {
  const { authority: own } = authorities();
  const secure = await startSecureMemcached(t, own.issue(IP));
  const open = await startMemcached();
  t.after(() => open.kill());
  for (const [servers, tls] of [
    [`${secure.server};tls=on,${open.server}`, false],
    [`${secure.server},${open.server};tls=off`, true],
  ] as const) {
    const { client } = clientWith(t, { servers, tls, tls_ca_list: own.certificateFile });
    const statuses = new Set<string>();
    for (let i = 0; i < 50; i++) statuses.add((await client.write(`key:${i}`, i)).status);
    assert.deepEqual([...statuses], ['stored']);
  }
});

test('tls: with tls_verify off any certificate will do, and the log says what that means', {
  skip,
}, async (t) => {
  const server = await startSecureMemcached(t, authorities().stranger.issue('DNS:other.example'));
  const { client, logged } = clientWith(t, { servers: server.server, tls: true, tls_verify: false });
  assert.deepEqual(await client.read('k'), { status: 'miss' });
  assert.deepEqual(logged().length, 1);
  assert.match(logged()[0] ?? '', /^warn memcached: tls_verify is off/);
});
