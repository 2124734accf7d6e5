import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../architecture/source-files.ts';
import type { CacheClient } from '../../modules/memcached/client.ts';
import { parseLeases } from '../../modules/memcached/limits/lease-set.ts';
import { eventually, limitsOf } from '../memcached/limits-rig.ts';
import { clientOf } from '../memcached/rig.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';
import { Endpoint, routesOf } from './endpoint.ts';

const skip = missing('memcached') ?? false;

const TRIES = 20;
/** Lifetime of a lease in the test of one that no BYE gives back, s. */
const SHORT_LEASE_S = 1;

interface Shipped {
  readonly port: number;
  readonly client: CacheClient;
  readonly endpoint: Endpoint;
  /** The active calls, as the store has them. */
  readonly active: () => Promise<number>;
  /** When the lease that ends last does, Unix ms. */
  readonly lastEnd: () => Promise<number>;
  /** First line of what an INVITE comes to; the user `loser` refuses, others take it. */
  readonly invite: (id: string, user: string) => Promise<string>;
}

/** Two constants of the shipped routes, for a test that cannot wait for hours or make a thousand calls. */
async function startShipped(
  t: TestContext,
  { calls, leaseS }: { readonly calls: number; readonly leaseS: number },
): Promise<Shipped> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const text = readFileSync(join(ROOT, 'config/routes.ts'), 'utf8');
  const routes = text
    .replace(/const MAX_CALLS = \d+;/, `const MAX_CALLS = ${calls};`)
    .replace(/const LEASE_S = \d+;/, `const LEASE_S = ${leaseS};`);
  assert.match(routes, new RegExp(`MAX_CALLS = ${calls};[^]*LEASE_S = ${leaseS};`));
  const proxy = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:0"]
modules: { pv: {}, sl: {}, tm: {}, rr: {}, maxfwd: {}, siputils: {}, textops: {}, xlog: {}, memcached: { servers: "${memcached.server}" } }`,
    routes,
  });
  t.after(() => proxy.stop());
  const endpoint = await Endpoint.open(({ user, answer }) =>
    answer(user === 'loser' ? '486 Busy Here' : '200 OK'),
  );
  t.after(() => endpoint.close());
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port: memcached.port }]);
  const { leases } = limitsOf(t, client);
  return {
    port: proxy.port,
    client,
    endpoint,
    active: async () => {
      const outcome = await leases.active('calls', {});
      return outcome.status === 'done' ? outcome.active : Number.NaN;
    },
    lastEnd: async () => {
      const outcome = await client.read('lease:calls');
      const set = outcome.status === 'hit' ? parseLeases(String(outcome.value)) : null;
      return set?.untilMs ?? Number.NaN;
    },
    invite: (id, user) =>
      endpoint.ask(proxy.port, { method: 'INVITE', id, branch: `z9hG4bK${id}${user}`, user }, TRIES),
  };
}

test('shipped routes: a fork that is refused leaves the call counted; its BYE counts it off, and the counter of all calls stands', {
  skip,
}, async (t) => {
  const { port, client, endpoint, active, invite } = await startShipped(t, { calls: 10, leaseS: 600 });
  const answer = await invite('forked', 'up');
  assert.match(answer, /^SIP\/2\.0 200/);
  assert.match(await invite('forked', 'loser'), /^SIP\/2\.0 486/);
  assert.equal(await active(), 1);
  assert.deepEqual(await client.read('call::forked'), { status: 'hit', value: '127.0.0.1' });
  const bye = { id: 'forked', user: 'up', branch: 'z9hG4bKbye', routes: routesOf(answer) };
  assert.match(await endpoint.ask(port, { ...bye, method: 'BYE' }, TRIES), /^SIP\/2\.0 200/);
  assert.equal(await active(), 0);
  // An integer as $mcinc of Kamailio has it.
  assert.deepEqual(await client.read('calls::total'), { status: 'hit', value: 2 });
  assert.deepEqual(await client.read('call::forked'), { status: 'miss' });
});

test('shipped routes: a call above the bound gets 503, and one that ends makes room', { skip }, async (t) => {
  const { port, endpoint, active, invite } = await startShipped(t, { calls: 2, leaseS: 600 });
  const first = await invite('one', 'up');
  await invite('two', 'up');
  assert.match(await invite('three', 'up'), /^SIP\/2\.0 503 Too Many Calls/);
  const bye = { id: 'one', user: 'up', branch: 'z9hG4bKbye', routes: routesOf(first) };
  await endpoint.ask(port, { ...bye, method: 'BYE' }, TRIES);
  assert.match(await invite('four', 'up'), /^SIP\/2\.0 200/);
  assert.equal(await active(), 2);
});

test('shipped routes: a request within a call renews its place when it is answered with 2xx; one that is refused, or means no call, does not', {
  skip,
}, async (t) => {
  const leaseS = 600;
  const { port, endpoint, active, lastEnd, invite } = await startShipped(t, { calls: 10, leaseS });
  const routes = routesOf(await invite('call', 'up'));
  const begun = await lastEnd();
  await eventually('a later lease', () => Date.now() + leaseS * 1000 > begun);
  const ask = async (id: string, user: string): Promise<string> =>
    endpoint.ask(port, { method: 'INVITE', id, user, branch: `z9hG4bKre${id}${user}`, routes }, TRIES);
  assert.match(await ask('call', 'loser'), /^SIP\/2\.0 486/);
  assert.match(await ask('stray', 'up'), /^SIP\/2\.0 200/);
  assert.deepEqual([await active(), await lastEnd()], [1, begun]);
  assert.match(await ask('call', 'up'), /^SIP\/2\.0 200/);
  await eventually('renewal', async () => (await lastEnd()) > begun);
  assert.equal(await active(), 1);
});

test('shipped routes: a call without BYE is counted off by itself', { skip }, async (t) => {
  const { active, invite } = await startShipped(t, { calls: 10, leaseS: SHORT_LEASE_S });
  assert.match(await invite('lost', 'up'), /^SIP\/2\.0 200/);
  // Its lease began before its answer came.
  await delay(SHORT_LEASE_S * 1000 + 1);
  assert.equal(await active(), 0);
});
