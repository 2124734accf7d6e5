import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseConfiguration } from '../../core/main/configuration.ts';
import { startDnsmasq } from '../programs/dnsmasq.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';

function parse(dns: string) {
  const text = `listen: ["udp:127.0.0.1:5060"]\nroutes: r.ts\ndns: ${dns}\n`;
  const { configuration, mistakes } = parseConfiguration(text, { file: 'k.yaml', environment: {} });
  return { dns: configuration.dns, mistakes: mistakes.map(({ message }) => message) };
}

test('configuration: every key of dns is read', () => {
  assert.deepEqual(parse('{ servers: "192.0.2.53, [2001:db8::53]:5353,", srv: false, naptr: 0 }'), {
    dns: { servers: ['192.0.2.53', '[2001:db8::53]:5353'], srv: false, naptr: false },
    mistakes: [],
  });
});

for (const server of ['dns.example.com', '2001:db8::53', '192.0.2.53:0', '192.0.2.53 192.0.2.54', '1.2.3']) {
  test(`configuration: ${server} is no DNS server`, () => {
    const { dns, mistakes } = parse(`{ servers: "192.0.2.1, ${server}" }`);
    assert.deepEqual(dns.servers, []);
    assert.equal(mistakes.length, 1);
    assert.match(mistakes[0] ?? '', /dns\.servers: .*expected addresses of DNS servers/);
  });
}

const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({ uses: ['tm'], async request({ ksr }) { await ksr.tm.t_relay(); } });
`;

function options(uri: string, port: number): string {
  return `OPTIONS ${uri} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKdns
Max-Forwards: 70
From: <sip:a@example.org>;tag=1
To: <${uri}>
Call-ID: dns
CSeq: 1 OPTIONS
Content-Length: 0

`.replaceAll('\n', '\r\n');
}

test('dns: a running proxy relays to the server that its DNS server names by NAPTR and SRV', {
  skip: missing('dnsmasq') ?? false,
}, async () => {
  const callee = createSocket('udp4');
  callee.bind(0, '127.0.0.1');
  await once(callee, 'listening');
  const { port } = callee.address();
  const dns = await startDnsmasq([
    '--naptr-record=calls.test,10,10,s,SIP+D2U,,_sip._udp.calls.test',
    `--srv-host=_sip._udp.calls.test,callee.calls.test,${port},1,1`,
    '--host-record=callee.calls.test,127.0.0.1',
  ]);
  try {
    const proxy = await startProxy({
      yaml: `listen: ["udp:127.0.0.1:0"]\ndns: { servers: "${dns.server}" }\nmodules: { tm: {} }`,
      routes: ROUTES,
    });
    try {
      const arrived = once(callee, 'message', { signal: AbortSignal.timeout(20_000) });
      callee.send(options('sip:bob@calls.test', port), proxy.port, '127.0.0.1');
      const [bytes] = await arrived;
      assert.match(
        String(bytes),
        /^OPTIONS sip:bob@calls\.test SIP\/2\.0\r\nVia: SIP\/2\.0\/UDP 127\.0\.0\.1:/,
      );
      assert.equal(String(bytes).match(/^Via:/gm)?.length, 2);
    } finally {
      await proxy.stop();
    }
  } finally {
    callee.close();
    await dns.stop();
  }
});
