/** SIPp calls SIPp through the proxy, by every pair of UDP, TCP and TLS, with routes that keep each call's state in memcached. */
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { Authority } from '../programs/certificates.ts';
import { freePort } from '../programs/free-port.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';
import { callConfiguration, callRoutes } from '../scenarios/call-routes.ts';
import { assertAllGood, complaints, runPair } from '../scenarios/pair.ts';
import { assertCounted, createCounter } from './counters.ts';

const CALLS = 20;
const RATE = 20;

/** SIPp's argument for a protocol. */
const MODES = { udp: 'u1', tcp: 't1', tls: 'l1' } as const;
const PROTOCOLS = ['udp', 'tcp', 'tls'] as const;

const scenario = (path: string): string => join(ROOT, 'test', path);
/** Who hangs up, and the scenarios. */
const DIALOGS = [
  { what: 'the caller hangs up', caller: 'scenarios/sipp/caller.xml', callee: 'scenarios/sipp/callee.xml' },
  {
    what: 'each side changes the session and the callee hangs up',
    caller: 'interop/sipp/caller-changes.xml',
    callee: 'interop/sipp/callee-changes.xml',
  },
] as const;

const skip = missing('sipp') ?? missing('memcached') ?? missing('openssl') ?? false;
const skipTls = missing('sipp-tls') ?? false;

describe('interop, SIPp', { skip, concurrency: 3 }, () => {
  for (const from of PROTOCOLS) {
    for (const to of PROTOCOLS) {
      test(`SIPp: calls from ${from} to ${to}: every one is good, and none stays counted`, {
        skip: [from, to].includes('tls') && skipTls,
      }, async (t) => {
        const authority = new Authority();
        const { certificateFile, keyFile } = authority.issue('IP:127.0.0.1');
        const calleePort = await freePort();
        const memcached = await startMemcached();
        t.after(() => memcached.kill());
        await createCounter(memcached);
        // The proxy and SIPp, as a server and as a client, present a certificate and verify that of the other.
        const yaml = callConfiguration({ memcached: memcached.server }).replace(
          /^listen: .*$/m,
          `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "tls:127.0.0.1:0"]
tls: { certificate: "${certificateFile}", private_key: "${keyFile}", ca_list: "${authority.certificateFile}", require_certificate: true }`,
        );
        const proxy = await startProxy({
          yaml,
          routes: callRoutes(`127.0.0.1:${calleePort};transport=${to}`, { cached: true }),
        });
        t.after(() => proxy.stop());

        const files = [
          '-tls_cert',
          certificateFile,
          '-tls_key',
          keyFile,
          '-tls_ca',
          authority.certificateFile,
        ];
        const mode = (protocol: keyof typeof MODES): readonly string[] => [
          '-t',
          MODES[protocol],
          ...(protocol === 'tls' ? files : []),
        ];
        for (const { what, caller, callee } of DIALOGS) {
          const result = await runPair(
            {
              caller: scenario(caller),
              callee: scenario(callee),
              calls: CALLS,
              rate: RATE,
              callerArgs: mode(from),
              calleeArgs: mode(to),
            },
            { target: proxy.portOf(from), calleePort },
          );
          assertAllGood(`${what}: caller`, result.caller, CALLS);
          assertAllGood(`${what}: callee`, result.callee, CALLS);
        }
        await assertCounted(memcached, DIALOGS.length * CALLS);
        assert.deepEqual(complaints(proxy), []);
      });
    }
  }
});
