/** The user agent baresip as caller and callee through the proxy, with the routes that it ships. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../architecture/source-files.ts';
import { type Baresip, type BaresipOptions, startBaresip } from '../programs/baresip.ts';
import { Authority } from '../programs/certificates.ts';
import { PATIENCE_MS } from '../programs/child.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { callConfiguration } from '../scenarios/call-routes.ts';
import { complaints } from '../scenarios/pair.ts';
import { ask } from '../scenarios/sip-client.ts';

const POLL_MS = 20;

type Protocol = BaresipOptions['protocol'];

interface Call {
  readonly proxy: Proxy;
  readonly caller: Baresip;
  readonly callee: Baresip;
}

/** The proxy with its shipped routes and two of baresip, each with a certificate that the others verify. */
async function start(t: TestContext, from: Protocol, to: Protocol): Promise<Call> {
  const authority = new Authority();
  const caFile = authority.certificateFile;
  const { certificateFile, keyFile, certificate, privateKey } = authority.issue('IP:127.0.0.1');
  const yaml = callConfiguration({ memcached: 'embedded' }).replace(
    /^listen: .*$/m,
    `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "tls:127.0.0.1:0"]
tls: { certificate: "${certificateFile}", private_key: "${keyFile}", ca_list: "${caFile}" }`,
  );
  const routes = readFileSync(join(ROOT, 'config/routes.ts'), 'utf8');
  const proxy = await startProxy({ yaml: `${yaml}  xlog: {}\n`, routes });
  t.after(() => proxy.stop());

  const bothFile = join(tempFolder(), 'both.pem');
  writeFileSync(bothFile, certificate + privateKey);
  const phone = async (user: string, protocol: Protocol): Promise<Baresip> => {
    const outbound = `sip:127.0.0.1:${proxy.portOf(protocol)};transport=${protocol}`;
    const baresip = await startBaresip({ user, protocol, outbound, certificateFile: bothFile, caFile });
    t.after(() => baresip.stop());
    return baresip;
  };
  return { proxy, caller: await phone('alice', from), callee: await phone('bob', to) };
}

/** Waits until the proxy says that so many calls are active. */
async function untilActive(proxy: Proxy, calls: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask(proxy.port, { method: 'OPTIONS', user: 'status' });
    const [, active] = /^X-Active-Calls: (\d+)/m.exec(answer) ?? [];
    if (active === String(calls)) return;
    if (performance.now() > deadline) assert.fail(`${calls} active calls expected:\n${answer}`);
    await delay(POLL_MS);
  }
}

async function ring({ proxy, caller, callee }: Call): Promise<void> {
  caller.command('dial', callee.uri);
  await callee.waitFor('CALL_INCOMING');
  await caller.waitFor('CALL_RINGING');
  await untilActive(proxy, 1);
}

/** Waits until both have no call, and gives what baresip says is the reason. */
async function closed({ proxy, caller, callee }: Call): Promise<readonly [caller: string, callee: string]> {
  const reasons = [await caller.waitFor('CALL_CLOSED'), await callee.waitFor('CALL_CLOSED')] as const;
  await untilActive(proxy, 0);
  return reasons;
}

async function talk(call: Call): Promise<void> {
  await ring(call);
  call.callee.command('accept');
  await call.caller.waitFor('CALL_ESTABLISHED');
  await call.callee.waitFor('CALL_ESTABLISHED');
}

for (const [from, to] of [
  ['udp', 'udp'],
  ['tcp', 'tcp'],
  ['tls', 'tls'],
  ['udp', 'tls'],
  ['tls', 'tcp'],
] as const) {
  test(`baresip calls baresip from ${from} to ${to}: answered, hung up by each side, cancelled and refused`, {
    skip: missing('baresip') ?? missing('openssl') ?? false,
  }, async (t) => {
    const call = await start(t, from, to);
    const { proxy, caller, callee } = call;

    await t.test('the caller hangs up', async () => {
      await talk(call);
      caller.command('hangup');
      await closed(call);
    });
    await t.test('the callee hangs up', async () => {
      await talk(call);
      callee.command('hangup');
      await closed(call);
    });
    await t.test('the caller cancels', async () => {
      await ring(call);
      caller.command('hangup');
      await closed(call);
      await callee.waitForTrace(/^CANCEL sip:/);
      // The caller does not wait for it.
      await caller.waitForTrace(/^SIP\/2\.0 487 /);
    });
    await t.test('the callee refuses', async () => {
      await ring(call);
      callee.command('hangup');
      const [reason] = await closed(call);
      assert.match(reason, /^486 /);
    });
    for (const [phone, protocol] of [
      [caller, from],
      [callee, to],
    ] as const) {
      const protocols = [...phone.trace().matchAll(/^([A-Z]+) 127\.0\.0\.1:\d+ -> /gm)].map(
        ([, name]) => name,
      );
      assert.deepEqual(new Set(protocols), new Set([protocol.toUpperCase()]));
    }
    assert.deepEqual(complaints(proxy), []);
  });
}
