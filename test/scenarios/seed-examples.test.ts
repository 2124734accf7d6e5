import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';
import { ask } from './sip-client.ts';

/** What a request to each user does, and the log line that tells what came of it. In this order. */
const EXAMPLES = [
  {
    user: 'stored',
    typed: `await pv.$mct('test').set(1);`,
    byName: `await ksr.pv.seti('$mct(test)', 1);`,
    log: 'stored value is $mct(test)',
    line: 'stored value is 1',
  },
  {
    user: 'deleted',
    typed: `await pv.$mct('test').set(null);`,
    byName: `await ksr.pv.unset('$mct(test)');`,
    log: 'stored value is $mct(test)',
    line: 'stored value is <null>',
  },
  {
    user: 'incremented',
    typed: `await pv.$mct('cnt').set(1); await pv.$mcinc('cnt').set(1);`,
    byName: `await ksr.pv.seti('$mct(cnt)', 1); await ksr.pv.seti('$mcinc(cnt)', 1);`,
    log: 'counter is now $mct(cnt)',
    line: 'counter is now 2',
  },
  {
    user: 'decremented',
    typed: `await pv.$mcdec('cnt').set(1);`,
    byName: `await ksr.pv.seti('$mcdec(cnt)', 1);`,
    log: 'counter is now $mct(cnt)',
    line: 'counter is now 1',
  },
] as const;

function routes(way: 'typed' | 'byName'): string {
  const cases = EXAMPLES.map(
    (example) => `
      case '${example.user}':
        ${example[way]}
        await ksr.xlog.xlog('L_INFO', '${example.log}');
        break;`,
  );
  return `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'sl', 'xlog', 'memcached'],
  async request({ pv, ksr }) {
    switch (pv.$rU.get()) {${cases.join('')}
    }
    ksr.sl.sl_send_reply(200, 'OK');
  },
});
`;
}

/** Runs every example on a proxy of its own with the given servers, and compares the log. */
async function check(way: 'typed' | 'byName', servers: string): Promise<void> {
  const proxy = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:0"]\nmodules: { pv: {}, sl: {}, xlog: {}, memcached: { servers: "${servers}" } }`,
    routes: routes(way),
  });
  for (const { user } of EXAMPLES) {
    const reply = await ask(proxy.port, { method: 'MESSAGE', user });
    assert.match(reply, /^SIP\/2\.0 200 OK\r\n/, user);
  }
  await proxy.stop();
  const said = proxy.log().map(({ message }) => message);
  assert.deepEqual(
    said.filter((message) => /^(stored value|counter) is/.test(message)),
    EXAMPLES.map(({ line }) => line),
  );
}

for (const [way, wording] of [
  ['typed', 'by typed references'],
  ['byName', 'by name'],
] as const) {
  test(`seed examples: ${wording}, in the embedded store: the log says what they promise`, () =>
    check(way, 'embedded'));

  test(`seed examples: ${wording}, in memcached: the log says what they promise`, {
    skip: missing('memcached') ?? false,
  }, async (t) => {
    const memcached = await startMemcached();
    t.after(() => memcached.stop());
    await check(way, memcached.server);
  });
}
