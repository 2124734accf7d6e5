import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ListenPoint } from '../../core/sip/hop.ts';
import { RecentTargets } from '../../core/transport/recent-targets.ts';

function point(protocol: 'udp' | 'tcp'): ListenPoint {
  const [address, port] = ['192.0.2.1', 5060];
  const sentBy = `${address}:${port}`;
  return { protocol, family: 4, address, port, advertisedHost: address, advertisedPort: port, sentBy };
}
const points = [point('udp'), point('tcp'), point('udp')];

test('reply targets: each is what was asked for, whatever was asked for before', () => {
  const asked = fc.record({
    address: fc.constantFrom('192.0.2.2', '192.0.2.3', '2001:db8::2'),
    port: fc.constantFrom(5060, 5060 + 256, 5061),
    of: fc.nat({ max: points.length - 1 }),
    flow: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 50 }), (all) => {
      const targets = new RecentTargets();
      for (const { address, port, of, flow } of all) {
        const at = points[of]!;
        const target = targets.take(address, port, at, flow);
        assert.deepEqual(target, {
          protocol: at.protocol,
          address,
          port,
          host: undefined,
          point: at,
          flow,
          onlyFlow: undefined,
        });
        assert.equal(target.point, at);
      }
    }),
    { numRuns: 200, seed: 5 },
  );
});

test('reply targets: what is asked for again is the same object', () => {
  const targets = new RecentTargets();
  const first = targets.take('192.0.2.2', 5070, points[0]!, 0);
  targets.take('192.0.2.2', 5071, points[0]!, 0);
  assert.equal(targets.take(['192.0.2', '2'].join('.'), 5070, points[0]!, 0), first);
});
