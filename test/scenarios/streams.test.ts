import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Protocol } from '../../core/index.ts';
import { ROOT } from '../architecture/source-files.ts';
import { Authority } from '../programs/certificates.ts';
import { Child } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { callConfiguration, callRoutes } from './call-routes.ts';
import { assertAllGood, complaints, runPair } from './pair.ts';

const FOLDER = join(ROOT, 'test/scenarios/sipp');
const CALLS = 50;
const RATE = 25;

/** The port of the proxy's first address of a protocol. */
function portOf(proxy: Proxy, protocol: Protocol): number {
  const address = proxy.addresses.find((text) => text.startsWith(`${protocol}:`)) ?? '';
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** A proxy with `callRoutes` that listens with these protocols, stopped after the test. `callee` is the rest of its URI behind `sip:`. */
async function callProxy(t: TestContext, protocols: readonly Protocol[], callee: string, more = '') {
  const listen = `listen: [${protocols.map((protocol) => `"${protocol}:127.0.0.1:0"`).join(', ')}]`;
  const yaml = callConfiguration().replace(/^listen: .*$/m, listen);
  const proxy = await startProxy({ yaml: yaml + more, routes: callRoutes(callee) });
  t.after(() => proxy.stop());
  return proxy;
}

/** SIPp's argument for a protocol. */
const MODES = { udp: 'u1', tcp: 't1' } as const;
type SippProtocol = keyof typeof MODES;

async function assertGoodCalls(
  { proxies, calleePort }: { readonly proxies: readonly [Proxy, ...Proxy[]]; readonly calleePort: number },
  { from, to }: { readonly from: SippProtocol; readonly to: SippProtocol },
): Promise<void> {
  const result = await runPair(
    {
      caller: join(FOLDER, 'caller.xml'),
      callee: join(FOLDER, 'callee.xml'),
      calls: CALLS,
      rate: RATE,
      callerArgs: ['-t', MODES[from]],
      calleeArgs: ['-t', MODES[to]],
    },
    { target: portOf(proxies[0], from), calleePort },
  );
  assertAllGood('caller', result.caller, CALLS);
  assertAllGood('callee', result.callee, CALLS);
  for (const proxy of proxies) assert.deepEqual(complaints(proxy), []);
}

for (const [from, to] of [
  ['tcp', 'tcp'],
  ['tcp', 'udp'],
  ['udp', 'tcp'],
] as const) {
  test(`scenarios: a record-routed call from ${from} to ${to}: every call is good`, {
    skip: missing('sipp') ?? false,
  }, async (t) => {
    const calleePort = await freePort();
    const proxy = await callProxy(t, ['udp', 'tcp'], `127.0.0.1:${calleePort};transport=${to}`);
    await assertGoodCalls({ proxies: [proxy], calleePort }, { from, to });
  });
}

test('scenarios: a record-routed call with TLS between two proxies, each verifying the other: every call is good', {
  skip: missing('sipp') ?? missing('openssl') ?? false,
}, async (t) => {
  const authority = new Authority();
  const { certificateFile, keyFile } = authority.issue('DNS:localhost, IP:127.0.0.1');
  const tls = `tls:
  { certificate: "${certificateFile}", private_key: "${keyFile}", ca_list: "${authority.certificateFile}",
    require_certificate: true }
`;
  const calleePort = await freePort();
  const second = await callProxy(t, ['udp', 'tls'], `127.0.0.1:${calleePort}`, tls);
  const first = await callProxy(t, ['udp', 'tls'], `localhost:${portOf(second, 'tls')};transport=tls`, tls);
  await assertGoodCalls({ proxies: [first, second], calleePort }, { from: 'udp', to: 'udp' });
});

const ANSWERING = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({ uses: ['sl'], request({ ksr }) { ksr.sl.sl_send_reply(200, 'OK'); } });`;

for (const protocol of ['udp', 'tcp'] as const) {
  test(`scenarios: sipsak is answered over ${protocol}`, { skip: missing('sipsak') ?? false }, async (t) => {
    const yaml = `listen: ["${protocol}:127.0.0.1:0"]\nmodules: { sl: {} }\n`;
    const proxy = await startProxy({ yaml, routes: ANSWERING });
    t.after(() => proxy.stop());
    const uri = `sip:probe@127.0.0.1:${portOf(proxy, protocol)}`;
    const sipsak = new Child('sipsak', ['-vv', '-E', protocol, '-s', uri]);
    const { code } = await sipsak.exited;
    assert.equal(code, 0, [...sipsak.out, ...sipsak.err].join('\n'));
    assert.deepEqual(complaints(proxy), []);
  });
}
