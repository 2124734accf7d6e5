/** A Kamailio before and one behind the proxy, all three on the path of every call, with SIPp at both ends. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { freePort } from '../programs/free-port.ts';
import { type Kamailio, startKamailio } from '../programs/kamailio.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { callConfiguration, callRoutes } from '../scenarios/call-routes.ts';
import { assertAllGood, complaints, runPair } from '../scenarios/pair.ts';

const CALLS = 20;
const RATE = 20;

const scenario = (path: string): string => join(ROOT, 'test', `${path}.xml`);

/** How the proxy reaches the Kamailio behind it. */
type Protocol = 'udp' | 'tcp';

/** A Kamailio that record-routes calls to `next` and logs each request within a dialog, with the port that it came from. One process: several change the order of messages. */
function configuration(port: number, next: string): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (loose_route()) {
      xlog("L_ERR", "within a dialog: $rm from $sp\\n");
      t_relay();
    } else if (is_method("ACK")) {
      t_check_trans();
    } else {
      sl_send_reply("404", "Not Here");
    }
    exit;
  }
  t_check_trans();
  record_route();
  $du = "sip:${next}";
  t_relay();
}
`;
}

interface Chain {
  readonly before: Kamailio;
  readonly proxy: Proxy;
  readonly behind: Kamailio;
  readonly calleePort: number;
}

async function startChain(t: TestContext, protocol: Protocol): Promise<Chain> {
  const calleePort = await freePort();
  const behind = await startKamailio(configuration(await freePort(), `127.0.0.1:${calleePort}`));
  t.after(() => behind.stop());
  const proxy = await startProxy({
    yaml: callConfiguration().replace(/^listen: .*$/m, 'listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]'),
    routes: callRoutes(`127.0.0.1:${behind.port};transport=${protocol}`),
  });
  t.after(() => proxy.stop());
  const before = await startKamailio(configuration(await freePort(), `127.0.0.1:${proxy.port}`));
  t.after(() => before.stop());
  return { before, proxy, behind, calleePort };
}

/** The requests of a method that a Kamailio got within dialogs, by the port that they came from. */
function requestsWithin(kamailio: Kamailio, method: string): readonly number[] {
  const lines = kamailio.log.map((line) => new RegExp(`within a dialog: ${method} from (\\d+)`).exec(line));
  return lines.filter((match) => match !== null).map(([, port]) => Number(port));
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`Kamailio before the proxy, and behind it by ${protocol}: every call is good`, {
    skip: missing('kamailio') ?? missing('sipp') ?? false,
  }, async (t) => {
    const { before, proxy, behind, calleePort } = await startChain(t, protocol);
    const run = async (caller: string, callee: string): Promise<void> => {
      const result = await runPair(
        { caller: scenario(caller), callee: scenario(callee), calls: CALLS, rate: RATE },
        { target: before.port, calleePort },
      );
      assertAllGood('caller', result.caller, CALLS);
      assertAllGood('callee', result.callee, CALLS);
    };

    await t.test('the caller hangs up', async () => {
      await run('scenarios/sipp/caller', 'scenarios/sipp/callee');
      assert.equal(requestsWithin(before, 'BYE').length, CALLS);
      const ports = requestsWithin(behind, 'BYE');
      assert.equal(ports.length, CALLS);
      // Straight from the other Kamailio, had the proxy not put itself on the route.
      if (protocol === 'udp') assert.deepEqual(new Set(ports), new Set([proxy.port]));
      else assert.ok(!ports.includes(before.port));
    });
    await t.test('each side changes the session and the callee hangs up', async () => {
      await run('interop/sipp/caller-changes', 'interop/sipp/callee-changes');
      assert.equal(requestsWithin(behind, 'BYE').length, 2 * CALLS);
      const ports = requestsWithin(before, 'BYE');
      assert.equal(ports.length, 2 * CALLS);
      assert.equal(ports.filter((port) => port === proxy.port).length, CALLS);
      // One from each side.
      for (const kamailio of [before, behind])
        assert.equal(requestsWithin(kamailio, 'INVITE').length, 2 * CALLS);
    });
    await t.test('the caller cancels', () =>
      run('scenarios/sipp/caller-cancels', 'interop/sipp/callee-cancelled-behind-three'),
    );
    await t.test('the callee refuses, and each hop acknowledges', () =>
      run('scenarios/sipp/caller-refused', 'scenarios/sipp/callee-refuses'),
    );
    assert.deepEqual(complaints(proxy), []);
  });
}
