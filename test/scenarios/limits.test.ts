import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { eventually } from '../memcached/limits-rig.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { CallPeer, type Dialog } from './limits-peer.ts';

const skip = missing('memcached') ?? false;

/** Starts a proxy with one of the shipped examples, with its example addresses replaced by those of the test. */
async function startExample(
  t: TestContext,
  name: string,
  { servers, places }: { readonly servers: string; readonly places: Readonly<Record<string, string>> },
): Promise<Proxy> {
  let routes = readFileSync(join(ROOT, `config/examples/${name}.ts`), 'utf8');
  for (const [example, own] of Object.entries(places)) {
    assert.ok(routes.includes(example), example);
    routes = routes.replaceAll(example, own);
  }
  const proxy = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:0"]
modules: { pv: {}, sl: {}, tm: {}, rr: {}, maxfwd: {}, siputils: {}, textops: {}, xlog: {}, memcached: { servers: "${servers}" } }`,
    routes,
  });
  t.after(() => proxy.stop());
  return proxy;
}

async function memcachedFor(t: TestContext): Promise<string> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  return memcached.server;
}

/** Lines that the proxy logged above info. */
function complaints(proxy: Proxy): readonly string[] {
  return proxy
    .log()
    .filter(({ level }) => level === 'warn' || level === 'error')
    .map(({ message }) => message);
}

test('example call-limit: a customer has so many calls on two proxies together; a call that ends makes room', {
  skip,
}, async (t) => {
  const servers = await memcachedFor(t);
  const [one, two] = await Promise.all([
    startExample(t, 'call-limit', { servers, places: {} }),
    startExample(t, 'call-limit', { servers, places: {} }),
  ]);
  const [caller, callee] = await Promise.all([CallPeer.open(t), CallPeer.open(t)]);
  const call = (proxy: Proxy, user = 'b'): Promise<Dialog> =>
    caller.invite(proxy.port, { user: 'a', destination: `${user}@${callee.at}` });
  const first = await call(one);
  assert.deepEqual([first.status, (await call(two)).status], ['200 OK', '200 OK']);
  assert.deepEqual(
    [(await call(one)).status, (await call(two)).status],
    ['486 Too Many Calls', '486 Too Many Calls'],
  );
  // It ends by the other proxy than the one it began at.
  assert.match(first.routes.join(), /;customer=here/);
  const byOther = first.routes.map((route) => route.replace(`:${one.port}`, `:${two.port}`));
  assert.equal(await caller.bye(two.port, { ...first, routes: byOther }), '200 OK');
  // A call that is refused takes no place for longer.
  assert.equal((await call(two, 'busy')).status, '486 Busy Here');
  await eventually('room for a call', async () => (await call(one)).status === '200 OK');
  assert.equal((await call(two)).status, '486 Too Many Calls');
  assert.deepEqual([complaints(one), complaints(two)], [[], []]);
});

test('example calls-per-second: what is above the first trunk goes to the second, and what is above both gets 503', async (t) => {
  const [caller, north, south] = await Promise.all([CallPeer.open(t), CallPeer.open(t), CallPeer.open(t)]);
  const proxy = await startExample(t, 'calls-per-second', {
    servers: 'embedded',
    // A minute, so that the test does not depend on the machine's speed.
    places: { '127.0.0.1:5080': north.at, '127.0.0.1:5090': south.at, "per: 'second'": "per: 'minute'" },
  });
  const statuses: string[] = [];
  for (let i = 0; i < 5; i++) {
    statuses.push((await caller.invite(proxy.port, { user: 'a', destination: 'b@example.com' })).status);
  }
  assert.deepEqual(statuses, ['200 OK', '200 OK', '200 OK', '503 Too Many Calls', '503 Too Many Calls']);
  assert.deepEqual([north.requests.length, south.requests.length], [2, 1]);
  assert.deepEqual(complaints(proxy), []);
});

test('example fraud-brake: one user gets so many destinations, is reported once, and others are not touched', async (t) => {
  const [caller, gateway] = await Promise.all([CallPeer.open(t), CallPeer.open(t)]);
  const proxy = await startExample(t, 'fraud-brake', {
    servers: 'embedded',
    places: { '127.0.0.1:5080': gateway.at },
  });
  const call = async (user: string, number: string): Promise<string> =>
    (await caller.invite(proxy.port, { user, destination: `${number}@example.com` })).status;
  for (const number of ['1', '2', '1', '3', '1']) assert.equal(await call('alice', number), '200 OK', number);
  assert.equal(await call('alice', '4'), '403 Call Barred');
  assert.equal(await call('alice', '5'), '403 Call Barred');
  assert.equal(await call('alice', '3'), '200 OK');
  assert.equal(await call('bob', '4'), '200 OK');
  assert.deepEqual(complaints(proxy), ['fraud brake: user alice stopped, the last destination was 4']);
});
