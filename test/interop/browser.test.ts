/** JsSIP in headless Chromium by secure WebSocket, and SIPp by UDP, call each other through the proxy. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { Authority } from '../programs/certificates.ts';
import { freePort } from '../programs/free-port.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { runSipp, startSipp } from '../programs/sipp.ts';
import { callConfiguration } from '../scenarios/call-routes.ts';
import { assertAllGood, complaints } from '../scenarios/pair.ts';
import { type BrowserPhone, startBrowserPhone } from './browser-phone.ts';

/** Keeps the connection by which a browser registers, sends calls for its user there, and all others by their Request-URI. */
const ROUTES = `import { defineRoutes } from 'kamaiki';

const FROM_WEB_SOCKET = 64;

export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'textops', 'nathelper', 'memcached'],
  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (ksr.siputils.is_method('CANCEL')) {
      if (ksr.tm.t_check_trans()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(481, 'Call/Transaction Does Not Exist');
    }
    const fromBrowser = ksr.nathelper.nat_uac_test(FROM_WEB_SOCKET);
    if (ksr.siputils.is_method('REGISTER')) {
      await pv.$mct\`connection::$fU\`.set('sip:' + pv.$si.get() + ':' + pv.$sp.get() + ';transport=wss');
      await ksr.textops.append_to_reply('Contact: ' + pv.$ct.get() + '\\r\\n');
      return ksr.sl.sl_send_reply(200, 'OK');
    }
    if (fromBrowser) ksr.nathelper.set_contact_alias();
    const isRouted = ksr.rr.loose_route();
    if (ksr.siputils.has_totag()) {
      if (!isRouted) return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');
      if (pv.$du.get() === null) ksr.nathelper.handle_ruri_alias();
      return ksr.tm.t_relay();
    }
    if (ksr.siputils.is_method('INVITE')) ksr.rr.record_route();
    const connection = await pv.$mct\`connection::$rU\`.get();
    if (connection !== null) pv.$du.set(String(connection));
    ksr.tm.t_on_reply('answered');
    return ksr.tm.t_relay();
  },
  onreply: {
    answered({ ksr }) {
      if (ksr.nathelper.nat_uac_test(FROM_WEB_SOCKET)) ksr.nathelper.set_contact_alias();
    },
  },
});
`;

const scenario = (name: string): string => join(ROOT, 'test/interop/sipp', `${name}.xml`);
const skip = missing('chromium') ?? missing('sipp') ?? missing('openssl') ?? false;

/** The proxy by UDP and secure WebSocket, and a browser that is registered there as `alice`. */
async function start(t: TestContext): Promise<{ readonly proxy: Proxy; readonly phone: BrowserPhone }> {
  const { certificateFile, keyFile } = new Authority().issue('IP:127.0.0.1');
  const yaml = callConfiguration({ memcached: 'embedded' }).replace(
    /^listen: .*$/m,
    `listen: ["udp:127.0.0.1:0", "wss:127.0.0.1:0"]
tls: { certificate: "${certificateFile}", private_key: "${keyFile}" }`,
  );
  const proxy = await startProxy({ yaml: `${yaml}  nathelper: {}\n`, routes: ROUTES });
  t.after(() => proxy.stop());
  const phone = await startBrowserPhone(t, {
    server: `wss://127.0.0.1:${proxy.portOf('wss')}`,
    uri: 'sip:alice@127.0.0.1',
  });
  return { proxy, phone };
}

test('JsSIP in a browser by secure WebSocket, and SIPp by UDP', { skip }, async (t) => {
  const { proxy, phone } = await start(t);
  for (const [who, callee, originator] of [
    ['browser', 'callee-of-browser', 'local'],
    ['callee', 'callee-of-browser-hangs-up', 'remote'],
  ] as const) {
    await t.test(`the browser calls, and the ${who} hangs up`, async (call) => {
      const port = await freePort();
      const sipp = await startSipp({ scenario: scenario(callee), port, calls: 1 });
      call.after(() => sipp.stop());
      phone.call(`sip:callee@127.0.0.1:${port}`);
      assert.equal(await phone.waitFor('progress'), 'remote');
      assert.equal(await phone.waitFor('accepted'), 'remote');
      assert.equal(await phone.waitFor('confirmed'), 'local');
      if (who === 'browser') phone.hangUp();
      assert.equal(await phone.waitFor('ended'), originator);
      assertAllGood('callee', await sipp.result, 1);
    });
  }

  await t.test('SIPp calls the browser by the connection that it registered by, and hangs up', async () => {
    const running = runSipp({
      scenario: scenario('caller-of-browser'),
      target: `127.0.0.1:${proxy.port}`,
      calls: 1,
      args: ['-s', 'alice', '-p', String(await freePort())],
    });
    assert.equal(await phone.waitFor('accepted'), 'local');
    assert.equal(await phone.waitFor('confirmed'), 'remote');
    assert.equal(await phone.waitFor('ended'), 'remote');
    assertAllGood('caller', await running, 1);
  });
  assert.deepEqual(complaints(proxy), []);
});
