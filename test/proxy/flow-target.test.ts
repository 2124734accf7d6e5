/** Requests that may only leave by a flow (RFC 5626 5.3.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Protocol, SipRequest, Target, TransportService } from '../../core/index.ts';
import { Forwarding } from '../../core/proxy/forwarding.ts';
import { Myself } from '../../core/proxy/myself.ts';
import { NextHop } from '../../core/proxy/next-hop.ts';
import { Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { proxyPoint, request } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const transport: TransportService = {
  points: [proxyPoint],
  send: () => undefined,
  reply: () => undefined,
  replyTarget: () => assert.fail(),
  pointFor: ({ protocol }) => ({ ...proxyPoint, protocol }),
};
const resolver = new Resolver({ clock: new FakeClock() });
const forwarding = new Forwarding({
  transport,
  resolver,
  log: recordedLog(),
  tagOf: () => 'tag',
  nextHop: new NextHop({
    myself: new Myself([proxyPoint], []),
    resolver,
    families: new Map<Protocol, 4>([
      ['udp', 4],
      ['tls', 4],
    ]),
  }),
});

function flow(protocol: Protocol): Target {
  return { protocol, address: '198.51.100.9', port: 9, point: proxyPoint, onlyFlow: true };
}

function withFlow(msg: SipRequest, protocol: Protocol): SipRequest {
  msg.flow = { ok: true, token: 'flow-1', target: flow(protocol) };
  return msg;
}

test('flow target: goes before Request-URI and Route, and is the only target', async () => {
  const msg = withFlow(request({ headers: ['Route: <sip:10.0.0.7;lr>'] }), 'udp');
  assert.deepEqual(await forwarding.resolve(msg), { ok: true, target: flow('udp') });
});

test('flow target: a SIPS request leaves by a secured flow only', async () => {
  for (const [protocol, well] of [
    ['udp', false],
    ['tcp', false],
    ['ws', false],
    ['tls', true],
    ['wss', true],
  ] as const)
    assert.equal((await forwarding.resolve(withFlow(request({ uri: 'sips:a@b.c' }), protocol))).ok, well);
});

test('flow target: a request that is too large for UDP does not leave a UDP flow', () => {
  const msg = request({ body: 'x'.repeat(2_000) });
  const { uri, edits } = msg;
  const options = { branch: 'z9hG4bK1', uri, edits };
  const { onlyFlow: _, ...place } = flow('udp');
  assert.equal(forwarding.printFitting(msg, { ...options, target: place }).length, 2);
  assert.equal(forwarding.printFitting(msg, { ...options, target: flow('udp') }).length, 1);
});
