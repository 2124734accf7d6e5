import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Forwarding } from '../../core/proxy/forwarding.ts';
import { Myself } from '../../core/proxy/myself.ts';
import { NextHop } from '../../core/proxy/next-hop.ts';
import type { TransportService } from '../../core/registry/services.ts';
import { Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { proxyPoint, request } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const unused = (): never => assert.fail('nothing is sent');

/** A transport whose only socket reaches IPv4. */
const ipv4: TransportService = {
  points: [proxyPoint],
  send: unused,
  reply: unused,
  replyTarget: unused,
  pointFor: ({ address }) => (address.includes(':') ? null : proxyPoint),
};

/** Where a request to a name with these addresses goes: the target, then the alternatives; or why it goes nowhere. */
async function ways(addresses: readonly string[]): Promise<readonly string[] | string> {
  const resolver = new Resolver({
    clock: new FakeClock(),
    lookup: (_host, _family, done) => done(null, addresses),
  });
  const nextHop = new NextHop({
    myself: new Myself([proxyPoint], []),
    resolver,
    families: new Map([['udp', 0]]),
  });
  const forwarding = new Forwarding({
    transport: ipv4,
    nextHop,
    resolver,
    log: recordedLog(),
    tagOf: () => 'tag',
  });
  const found = await forwarding.resolve(request({ uri: 'sip:a.example.org' }));
  if (!found.ok) return found.reason;
  assert.notDeepEqual(found.alternatives, []);
  const targets = [found.target, ...(found.alternatives ?? [])];
  for (const { point } of targets) assert.equal(point, proxyPoint);
  return targets.map(({ address }) => address);
}

const CASES: readonly [what: string, addresses: readonly string[], wanted: readonly string[] | string][] = [
  ['one address', ['10.0.0.1'], ['10.0.0.1']],
  ['each gets its socket', ['10.0.0.1', '10.0.0.2'], ['10.0.0.1', '10.0.0.2']],
  ['an alternative without a socket is left out', ['10.0.0.1', '2001:db8::1'], ['10.0.0.1']],
  ['a target without a socket gives way', ['2001:db8::1', '10.0.0.1', '10.0.0.2'], ['10.0.0.1', '10.0.0.2']],
  ['no socket at all', ['2001:db8::1', '2001:db8::2'], 'no listen address reaches udp:2001:db8::1'],
];
for (const [what, addresses, wanted] of CASES) {
  test(`next hop alternatives: ${what}`, async () => assert.deepEqual(await ways(addresses), wanted));
}
