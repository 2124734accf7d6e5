/** The shipped routes and examples on the network of `kamaiki/testing`: what they send on and for whom, and which endings of a call give its place back. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { startTestProxy } from '../../core/testing/index.ts';
import { parseLeases } from '../../modules/memcached/limits/lease-set.ts';
import { configurationOf } from './route-configuration.ts';

async function started(t: TestContext, routes: string) {
  const proxy = await startTestProxy(configurationOf(join(ROOT, routes)), {
    hosts: { 'gw.example.com': '192.0.2.2' },
  });
  t.after(() => proxy.stop());
  return {
    proxy,
    // A customer of the example call-limit.
    alice: proxy.userAgent('sip:alice@192.0.2.10'),
    bob: proxy.userAgent('sip:bob@192.0.2.2'),
    active: async (limit: string): Promise<number> => {
      const value = await proxy.get(`$mct(lease:${limit})`);
      return value === null ? 0 : (parseLeases(String(value))?.leases.size ?? Number.NaN);
    },
  };
}

test('shipped routes: OPTIONS without a user is answered for the proxy itself alone', async (t) => {
  const { alice, bob } = await started(t, 'config/routes.ts');
  await alice.send('OPTIONS', 'sip:192.0.2.100');
  alice.next(200);
  for (const headers of [{}, { Route: '<sip:192.0.2.100;lr>' }]) {
    await alice.send('OPTIONS', 'sip:gw.example.com', { headers });
    await bob.reply(bob.next('OPTIONS'), 503);
    alice.next(500);
  }
});

test('example call-limit: requests of who is no customer are refused, whatever their method', async (t) => {
  const { proxy, alice, bob } = await started(t, 'config/examples/call-limit.ts');
  const stranger = proxy.userAgent('sip:stranger@192.0.2.66');
  for (const method of ['MESSAGE', 'REGISTER', 'SUBSCRIBE', 'INVITE']) {
    await stranger.send(method, bob.uri);
    stranger.next(403);
  }
  assert.deepEqual(bob.unread, []);
  await alice.send('MESSAGE', bob.uri);
  bob.next('MESSAGE');
});

for (const [what, contact] of [
  ['to a connection that is refused', 'sip:bob@192.0.2.9;transport=tcp'],
  ['to a name that is gone', 'sip:bob@gone.example.com'],
] as const)
  test(`example call-limit: a BYE ${what} gives the place back`, async (t) => {
    const { alice, bob, active } = await started(t, 'config/examples/call-limit.ts');
    await alice.send('INVITE', bob.uri);
    await bob.reply(bob.next('INVITE'), 200, { headers: { Contact: `<${contact}>` } });
    const ok = alice.next(200);
    assert.equal(await active('acme'), 1);
    await alice.send('BYE', ok);
    assert.equal(await active('acme'), 0);
  });
