import assert from 'node:assert/strict';
import type { SipRequest } from '../../../core/index.ts';
import { NextHop } from '../../../core/proxy/next-hop.ts';
import { Resolver } from '../../../core/transport/resolver.ts';
import { type FakeCore, linesOf, printed } from '../fake-core.ts';

/** A request as one branch of it leaves, once `loose_route` has been called: Request-URI, Route values, and the host it goes to. */
export async function asSent(msg: SipRequest, core: FakeCore) {
  let host = '';
  const hop = new NextHop({
    myself: core.myself,
    resolver: new Resolver({
      clock: core.clock,
      lookup(name, _family, done) {
        host = name;
        done(null, '10.0.0.9');
      },
    }),
    families: new Map([['udp', 4]]),
  });
  const found = await hop.resolve(msg);
  assert(found.ok, found.ok ? '' : found.reason);
  const { rewritten = msg } = found;
  const routes = linesOf(printed(rewritten), 'route').map((line) => line.slice('Route: '.length));
  return { uri: rewritten.uri, routes, host: host === '' ? found.target.address : host };
}
