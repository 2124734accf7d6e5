/** The order of responses at 2,000 calls/s, with an onreply handler that waits for memcached in a 180 and for nothing in the 200 behind it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { rawExchange } from '../memcached/rig.ts';
import { Child, PATIENCE_MS } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { buildNativeUdp } from '../programs/native-udp.ts';
import { startProxy } from '../programs/proxy.ts';
import { startSipp } from '../programs/sipp.ts';
import { complaints } from '../scenarios/pair.ts';
import type { Outcome } from './order-caller.ts';

const RATE = 2_000;
const SECONDS = 3;

function routes(callee: string): string {
  return `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'tm', 'memcached'],
  request({ pv, ksr }) {
    pv.$du.set('sip:${callee}');
    ksr.tm.t_on_reply('answered');
    return ksr.tm.t_relay();
  },
  onreply: {
    async answered({ pv }) {
      if (pv.$rs.get() === 180) await pv.$mct\`rang::$ci\`.set(1);
    },
  },
});
`;
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'notRinging' in value;
}

const skip = missing('sipp') ?? missing('memcached') ?? false;

for (const [way, { protocol, mode, native = false }] of [
  ['udp', { protocol: 'udp', mode: 'u1' }],
  ['udp and native sockets', { protocol: 'udp', mode: 'u1', native: true }],
  ['tcp', { protocol: 'tcp', mode: 't1' }],
] as const) {
  test(`message order: no 200 overtakes its 180 at ${RATE} calls/s, which come back by ${way}`, {
    skip: skip !== false ? skip : native && (missing('cc') ?? false),
  }, async (t) => {
    if (native) buildNativeUdp();
    const memcached = await startMemcached();
    t.after(() => memcached.kill());
    const calleePort = await freePort();
    const callee = await startSipp({
      scenario: join(ROOT, 'test/interop/sipp/callee-at-once.xml'),
      port: calleePort,
      args: ['-t', mode],
    });
    t.after(() => callee.stop());
    // Patient with memcached, however busy the machine: a handler that waits for nothing reorders nothing.
    const servers = `"${memcached.server}", timeout: ${PATIENCE_MS}, budget: ${PATIENCE_MS}`;
    const proxy = await startProxy({
      yaml: `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
limits: { max_wait: 0 }
udp: { native: ${native} }
modules: { pv: {}, tm: {}, memcached: { servers: ${servers} } }`,
      routes: routes(`127.0.0.1:${calleePort};transport=${protocol}`),
    });
    t.after(() => proxy.stop());

    const script = join(import.meta.dirname, 'order-caller.js');
    const caller = new Child(process.execPath, [
      script,
      String(proxy.portOf('tcp')),
      String(RATE),
      String(SECONDS),
    ]);
    t.after(() => caller.stop());
    await caller.exited;
    const outcome: unknown = JSON.parse(caller.out[0] ?? 'null');
    assert.ok(isOutcome(outcome), caller.err.join('\n'));
    const { sent, answered, refused, inOrder, notRinging, late, rate } = outcome;
    t.diagnostic(
      `${sent} calls, ${rate}/s: ${refused} refused, ${answered} answered, ${inOrder} after their 180`,
    );
    assert.equal(late, 0);
    assert.ok(answered > sent / 2, `${answered} of ${sent} calls answered`);
    // The proxy sends no 180 after a 200: an overtaken one is missing. One that never reached the proxy, as UDP may lose it, is not in memcached.
    const address = { kind: 'tcp', host: '127.0.0.1', port: memcached.port } as const;
    const rang = async (id: string): Promise<boolean> =>
      (await rawExchange(address, `get rang::${id}\r\nquit\r\n`)).startsWith('VALUE');
    const first = notRinging.slice(0, 100);
    const overtaken = (await Promise.all(first.map(rang))).filter((value) => value).length;
    assert.equal(overtaken, 0, `of ${first.length} calls that did not ring, ${overtaken} had been overtaken`);
    assert.ok(inOrder > sent / 2, `${inOrder} of ${sent} calls rang`);
    assert.deepEqual(complaints(proxy), []);
  });
}
