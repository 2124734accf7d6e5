import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import type { CacheClient } from '../../modules/memcached/client.ts';
import { clientOf } from '../memcached/rig.ts';
import { freePort } from '../programs/free-port.ts';
import { startKamailio } from '../programs/kamailio.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import type { Proxy } from '../programs/proxy.ts';
import { assertAllGood, complaints, runPair, startCallProxy } from './pair.ts';

const FOLDER = join(ROOT, 'test/scenarios/sipp');
const CALLS = 20;
const RATE = 20;
/** What the two proxies together add to the counter per call. */
const COUNTS_PER_CALL = 2;

const skip = missing('kamailio') ?? missing('sipp') ?? missing('memcached') ?? false;

/** A proxy that record-routes calls to `nextPort`, and counts them as `callRoutes` does. */
function configuration(port: number, nextPort: number, memcached: string): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:${port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "memcached.so"
modparam("memcached", "servers", "${memcached}")
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (!loose_route()) {
      if (!is_method("ACK")) { sl_send_reply("404", "Not Here"); }
      exit;
    }
    if (is_method("BYE")) {
      $mct(kamailio::$ci) = $null;
      $mcdec(active) = 1;
    }
    t_relay();
    exit;
  }
  t_check_trans();
  record_route();
  $mct(kamailio::$ci) = $si;
  $mcinc(active) = 1;
  $du = "sip:127.0.0.1:${nextPort}";
  t_relay();
}
`;
}

interface Chain {
  readonly proxy: Proxy;
  /** Ports that calls go to and that the callee has to take. */
  readonly ends: { readonly target: number; readonly calleePort: number };
  readonly client: CacheClient;
}

/** kamaiki and Kamailio in a row, on one memcached in which the counter is 0. */
async function startChain(t: TestContext, first: 'kamaiki' | 'kamailio'): Promise<Chain> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port: memcached.port }]);
  assert.equal((await client.write('active', 0)).status, 'stored');

  const calleePort = await freePort();
  const kamailioPort = await freePort();
  const { proxy } = await startCallProxy(t, {
    memcached: memcached.server,
    calleePort: first === 'kamaiki' ? kamailioPort : calleePort,
  });
  const next = first === 'kamaiki' ? calleePort : proxy.port;
  const kamailio = await startKamailio(configuration(kamailioPort, next, memcached.server));
  t.after(() => kamailio.stop());
  return { proxy, client, ends: { target: first === 'kamaiki' ? proxy.port : kamailioPort, calleePort } };
}

for (const [first, hangsUp, caller, callee] of [
  ['kamaiki', 'caller', 'caller', 'callee'],
  ['kamailio', 'caller', 'caller', 'callee'],
  ['kamaiki', 'callee', 'caller-hung-up-on', 'callee-hangs-up'],
  ['kamailio', 'callee', 'caller-hung-up-on', 'callee-hangs-up'],
] as const) {
  test(`kamailio neighbour: ${first} first, the ${hangsUp} hangs up: all calls are good and none stays counted`, {
    skip,
  }, async (t) => {
    const { proxy, ends, client } = await startChain(t, first);
    const scenarios = { caller: join(FOLDER, `${caller}.xml`), callee: join(FOLDER, `${callee}.xml`) };
    // Each scenario stays in the call for a while, so that the counter can be seen up.
    const running = runPair({ ...scenarios, calls: CALLS, rate: RATE }, ends);
    let highest = 0;
    const watch = setInterval(() => {
      void client.read('active').then((outcome) => {
        if (outcome.status === 'hit') highest = Math.max(highest, Number(outcome.value));
      });
    }, 10);
    const result = await running.finally(() => clearInterval(watch));
    assertAllGood('caller', result.caller, CALLS);
    assertAllGood('callee', result.callee, CALLS);
    assert.deepEqual(complaints(proxy), []);
    assert.ok(highest >= COUNTS_PER_CALL, `the counter was never above ${highest}`);
    assert.deepEqual(await client.read('active'), { status: 'hit', value: 0 });
  });
}
