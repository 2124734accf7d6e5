import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../core/registry/secret.ts';
import { PROBE_MIN_MS, PROBE_REFUSED_MS } from '../../modules/memcached/breaker.ts';
import { Credentials, MAX_ANSWER_BYTES } from '../../modules/memcached/credentials.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { clientWith, untilRead } from './access-rig.ts';
import { FakeServer } from './fake-server.ts';
import { assertDown, TIMEOUT_MS } from './fault-rig.ts';
import { backends, clientOf, rawExchange } from './rig.ts';

const skip = missing('memcached-tls') ?? false;
const PASSWORD = 'pässwörd:with:colons';
const LOGIN = { user: 'proxy', password: new Secret(PASSWORD) };
const KEY = 'kamaiki:sha256:user-and-password';
const COMMAND = `set ${KEY} 0 -1 28\r\n${Buffer.from(`proxy ${PASSWORD}`).toString('latin1')}\r\n`;

/** Starts a memcached that asks for the password, which ends with the test. */
async function startGuarded(t: TestContext, port?: number): Promise<Memcached> {
  const file = join(tempFolder(), 'users');
  writeFileSync(file, `other:x\nproxy:${PASSWORD}\n`);
  const args = ['-Y', file];
  const server = await startMemcached(port === undefined ? { args } : { port, args });
  t.after(() => server.kill());
  return server;
}

test('auth: a memcached that asks for a password is written to and read from', { skip }, async (t) => {
  const server = await startGuarded(t);
  const { client, logged } = clientWith(t, { servers: server.server, ...LOGIN });
  const writes = Array.from({ length: 20 }, (_, i) => client.write(`key:${i}`, i));
  for (const { status } of await Promise.all(writes)) assert.equal(status, 'stored');
  assert.deepEqual(await client.read('key:7'), { status: 'hit', value: 7 });
  assert.deepEqual(logged(), []);
});

test('auth: with a wrong password, or none, it is down with the reason, and the password shows nowhere', {
  skip,
}, async (t) => {
  const server = await startGuarded(t);
  for (const [login, reason] of [
    [{ user: 'proxy', password: new Secret('not-this-one') }, /it refuses user and password$/],
    [{ user: 'nobody', password: new Secret('not-this-one') }, /it refuses user and password$/],
    [{}, /CLIENT_ERROR unauthenticated/],
  ] as const) {
    const { client, logged } = clientWith(t, { servers: server.server, ...login });
    const outcomes = [await client.read('k'), await client.read('k')];
    for (const outcome of outcomes) assertDown(outcome, reason);
    assert.equal(logged().length, 1);
    const told = inspect([outcomes, logged(), client.statistics(), client], { depth: 20, showHidden: true });
    assert.doesNotMatch(told, /not-this-one/);
  }
});

test('auth: a memcached that is killed and started again is told the password again', { skip }, async (t) => {
  const server = await startGuarded(t);
  const { client } = clientWith(t, { servers: server.server, ...LOGIN });
  await untilRead(client, 'miss');
  await server.kill();
  await untilRead(client, 'down');
  await startGuarded(t, server.port);
  await untilRead(client, 'miss');
});

test('auth: a memcached that asks for a password does not look at the key', { skip }, async (t) => {
  const server = await startGuarded(t);
  const address = { kind: 'tcp', host: '127.0.0.1', port: server.port } as const;
  for (const key of [KEY, 'auth', 'k', '%:{}', 'k'.repeat(300)]) {
    const answer = await rawExchange(address, COMMAND.replace(KEY, key));
    assert.equal(answer, 'STORED\r\n', key);
  }
});

for (const kind of backends) {
  test(`auth: ${kind.name}, which asks for no password, keeps none, and loses no key of a route`, {
    skip: kind.skip,
  }, async (t) => {
    const { address, servers } = await kind.start(t);
    const route = clientOf(t, [address]);
    for (const key of ['auth', KEY]) assert.deepEqual(await route.write(key, key), { status: 'stored' });
    const { client } = clientWith(t, { servers, ...LOGIN });
    for (const key of ['auth', KEY]) assert.deepEqual(await client.read(key), { status: 'hit', value: key });
    assert.equal(await rawExchange(address, `get ${KEY}\r\n`), 'END\r\n');
  });
}

/** A client on a fake server, which has a read waiting, and has sent the password. */
async function rig(t: TestContext) {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  assert.ok(server.address.kind === 'tcp');
  const servers = `127.0.0.1:${server.address.port}`;
  const { client, logged } = clientWith(t, { servers, ...LOGIN }, { clock, timeoutMs: TIMEOUT_MS });
  const reading = client.read('k');
  await server.received(COMMAND);
  return { server, clock, client, logged, reading };
}

test('auth: the password goes first, once, and all else waits until it has been taken', async (t) => {
  const { server, client, reading } = await rig(t);
  const second = client.increment('l', 1);
  server.write('STO');
  assert.deepEqual(server.chunks.join(''), COMMAND);
  server.write('RED\r\n');
  await server.received('get k\r\nincr l 1\r\n');
  server.write('END\r\n7\r\n');
  assert.deepEqual(await reading, { status: 'miss' });
  assert.deepEqual(await second, { status: 'done', value: 7 });
  assert.equal(server.chunks.join(''), `${COMMAND}get k\r\nincr l 1\r\n`);
});

const UNEXPECTED: readonly (readonly [what: string, answer: string, reason: RegExp])[] = [
  ['sends back what it got', COMMAND, /it answers more than was asked$/],
  [
    'sends back a part of it',
    `-ERR unknown command proxy ${PASSWORD}\r\n`,
    /does not answer user and password as memcached does$/,
  ],
  ['answers ERROR', 'ERROR\r\n', /does not answer user and password as memcached does$/],
  [
    'answers more than was asked',
    'STORED\r\nVALUE k 1 5\r\nwrong\r\nEND\r\n',
    /it answers more than was asked$/,
  ],
  ['answers without end', 'x'.repeat(MAX_ANSWER_BYTES + 1), /its answer to user and password has no end$/],
];

for (const [what, answer, reason] of UNEXPECTED) {
  test(`auth: a server that ${what} is down, and its answer is not repeated`, async (t) => {
    const { server, client, logged, reading } = await rig(t);
    server.write(Buffer.from(answer).toString('latin1'));
    const outcome = await reading;
    assertDown(outcome, reason);
    assert.doesNotMatch(inspect([outcome, await client.read('k'), logged()]), /with:colons/);
    await server.ended(1);
    assert.equal(server.chunks.join(''), COMMAND);
  });
}

test('auth: no answer to the password is down when the timeout has passed', async (t) => {
  const { clock, reading } = await rig(t);
  clock.advance(TIMEOUT_MS);
  assertDown(await reading, /^no answer to user and password within the timeout$/);
});

test('auth: a server that closes instead of answering is down', async (t) => {
  const { server, reading } = await rig(t);
  server.close();
  assertDown(await reading, /^no answer to user and password: the connection was closed$/);
});

test('auth: a server that refuses the password is asked again every five seconds, not sooner', async (t) => {
  const { server, clock, client, logged, reading } = await rig(t);
  server.write('CLIENT_ERROR authentication failure\r\n');
  assertDown(await reading, /it refuses user and password/);
  for (let round = 2; round <= 4; round++) {
    clock.advance(PROBE_REFUSED_MS - 1);
    assertDown(await client.read('k'), /it refuses user and password/);
    assert.equal(server.connections, round - 1);
    clock.advance(1);
    await server.received(COMMAND);
    server.write(round < 4 ? 'CLIENT_ERROR authentication failure\r\n' : 'STORED\r\n');
    if (round < 4) await server.ended(round);
  }
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  while (logged().length < 2) await new Promise(setImmediate);
  assert.deepEqual(
    logged().map((line) => line.replace(/127\S+ /, '').slice(0, 30)),
    ['warn memcached is down: it ref', 'notice memcached answers again'],
  );
  assert.ok(PROBE_REFUSED_MS >= 10 * PROBE_MIN_MS);
});

test('auth: user and password do not show when they are printed', () => {
  const credentials = new Credentials('proxy', new Secret('hidden-text'));
  for (const told of [inspect(credentials, { showHidden: true }), JSON.stringify(credentials)]) {
    assert.doesNotMatch(told, /hidden-text|proxy/);
  }
});
