import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { eventually } from '../memcached/limits-rig.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { Endpoint, type Incoming, routesOf } from './endpoint.ts';

const FOLDER = join(ROOT, 'config/examples');
const EXAMPLES = readdirSync(FOLDER).map((file) => file.replace(/\.ts$/, ''));
const TRIES = 20;

function textOf(example: string): string {
  return readFileSync(join(FOLDER, `${example}.ts`), 'utf8');
}

/** Starts the shipped configuration with an example in the place of its routes, on a free port. */
async function startExample(
  t: TestContext,
  example: string,
  places: Readonly<Record<string, string>> = {},
): Promise<Proxy> {
  const yaml = readFileSync(join(ROOT, 'kamailio.yaml'), 'utf8')
    .replace('routes: ./config/routes.ts', 'routes: ./routes.ts')
    .replace('format: pretty', 'format: json');
  let routes = textOf(example);
  for (const [ours, own] of Object.entries(places)) {
    assert.ok(routes.includes(ours), ours);
    routes = routes.replaceAll(ours, own);
  }
  const proxy = await startProxy({ yaml, routes, args: ['-l', 'udp:127.0.0.1:0'] });
  t.after(() => proxy.stop());
  return proxy;
}

/** What requests within a call get whose Call-ID begins like that. */
const REFUSALS = ['408 Request Timeout', '481 Call Does Not Exist', '500 Server Internal Error'];

function takes({ method, id, answer }: Incoming): void {
  const refusal = REFUSALS.find((each) => id.startsWith(each.slice(0, 3)));
  answer(method === 'INVITE' ? '200 OK' : (refusal ?? '200 OK'));
}

/** Someone who takes calls, and refuses what comes within some of them. */
async function openEndpoint(t: TestContext): Promise<Endpoint> {
  const endpoint = await Endpoint.open(takes);
  t.after(() => endpoint.close());
  return endpoint;
}

let invites = 0;

/** First line of what an INVITE comes to. */
async function invite(endpoint: Endpoint, { port }: Proxy, user: string, id?: string): Promise<string> {
  const number = ++invites;
  const branch = `z9hG4bKexample${number}`;
  return endpoint.ask(port, { method: 'INVITE', id: id ?? `example-${number}`, branch, user }, TRIES);
}

function statusOf(answer: string): string {
  return answer.slice('SIP/2.0 '.length, answer.indexOf('\r\n'));
}

for (const example of EXAMPLES) {
  test(`examples: ${example} starts in the place of the shipped routes, and uses only modules that kamailio.yaml loads`, async (t) => {
    const proxy = await startExample(t, example);
    assert.equal((await proxy.stop()).code, 0);
    assert.deepEqual(
      proxy.log().filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    );
  });

  test(`examples: ${example} has a test of what it does`, () => {
    const tests = readFileSync(join(ROOT, 'test/scenarios/limits.test.ts'), 'utf8');
    assert.ok(tests.includes(`test('example ${example}:`), example);
  });
}

test('example call-limit: who is no customer is refused', async (t) => {
  const [proxy, endpoint] = await Promise.all([
    startExample(t, 'call-limit', { "'127.0.0.1', {": "'192.0.2.30', {" }),
    openEndpoint(t),
  ]);
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee')), '403 Forbidden');
});

test('example call-limit: a second fork takes no second place', async (t) => {
  const [proxy, endpoint] = await Promise.all([startExample(t, 'call-limit'), openEndpoint(t)]);
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee', 'forked')), '200 OK');
  assert.equal(statusOf(await invite(endpoint, proxy, 'fork', 'forked')), '200 OK');
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee')), '200 OK');
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee')), '486 Too Many Calls');
});

for (const refusal of REFUSALS) {
  const isOver = !refusal.startsWith('500');
  test(`example call-limit: a BYE that is answered ${refusal} ${isOver ? 'frees the place' : 'does not'}`, async (t) => {
    const [proxy, endpoint] = await Promise.all([startExample(t, 'call-limit'), openEndpoint(t)]);
    const id = `${refusal.slice(0, 3)}-call`;
    const answer = await invite(endpoint, proxy, 'callee', id);
    await invite(endpoint, proxy, 'callee');
    const bye = {
      method: 'BYE',
      id,
      user: 'callee',
      branch: 'z9hG4bKbye',
      routes: routesOf(answer),
    } as const;
    const hasRoom = async (): Promise<boolean> =>
      statusOf(await invite(endpoint, proxy, 'callee')) === '200 OK';
    if (isOver) {
      // A 408 is not sent on (RFC 4320 4.2).
      endpoint.send(proxy.port, bye);
      await eventually('room for a call', hasRoom);
    } else {
      assert.equal(statusOf(await endpoint.ask(proxy.port, bye, TRIES)), refusal);
      assert.equal(await hasRoom(), false);
    }
  });
}

test('example call-limit: requests within calls that are not take no place', async (t) => {
  const [proxy, endpoint] = await Promise.all([startExample(t, 'call-limit'), openEndpoint(t)]);
  const answer = await invite(endpoint, proxy, 'callee');
  const update = { method: 'UPDATE', user: 'callee', routes: routesOf(answer) } as const;
  const statuses: string[] = [];
  for (const id of ['481-stray', 'stray']) {
    const branch = `z9hG4bKupdate-${id}`;
    statuses.push(statusOf(await endpoint.ask(proxy.port, { ...update, id, branch }, TRIES)));
  }
  assert.deepEqual(statuses, ['481 Call Does Not Exist', '200 OK']);
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee')), '200 OK');
  assert.equal(statusOf(await invite(endpoint, proxy, 'callee')), '486 Too Many Calls');
});

test('example calls-per-second: who is refused is told when to try again', async (t) => {
  const endpoint = await openEndpoint(t);
  const proxy = await startExample(t, 'calls-per-second', {
    'callsPerSecond: 2': 'callsPerSecond: 1',
    '127.0.0.1:5080': endpoint.at,
    '127.0.0.1:5090': endpoint.at,
    // A minute, so that the test does not depend on the machine's speed.
    "per: 'second'": "per: 'minute'",
  });
  const statuses: string[] = [];
  for (let call = 0; call < 3; call++) statuses.push(await invite(endpoint, proxy, 'callee'));
  assert.deepEqual(statuses.map(statusOf), ['200 OK', '200 OK', '503 Too Many Calls']);
  assert.match(statuses[2] ?? '', /^Retry-After: 1\r$/m);
});

test('example fraud-brake: one user gets so many calls a minute, to one number too', async (t) => {
  const endpoint = await openEndpoint(t);
  const proxy = await startExample(t, 'fraud-brake', {
    'CALLS = 10': 'CALLS = 4',
    // An hour, so that the test does not depend on the machine's speed.
    "per: 'minute'": "per: 'hour'",
    '127.0.0.1:5080': endpoint.at,
  });
  const statuses: string[] = [];
  for (let call = 0; call < 5; call++) statuses.push(statusOf(await invite(endpoint, proxy, 'callee')));
  assert.deepEqual(statuses, ['200 OK', '200 OK', '200 OK', '200 OK', '403 Call Barred']);
});
