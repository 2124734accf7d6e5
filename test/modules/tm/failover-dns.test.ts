import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { startDnsmasq } from '../../programs/dnsmasq.ts';
import { freePort } from '../../programs/free-port.ts';
import { missing } from '../../programs/missing.ts';
import { startProxy } from '../../programs/proxy.ts';
import { request, response } from './messages.ts';

/** How long an answer may take on a busy machine, ms. */
const PATIENCE_MS = 20_000;

const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({ uses: ['tm'], async request({ ksr }) { await ksr.tm.t_relay(); } });
`;

const skip = missing('dnsmasq') ?? false;

async function udpSocket() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A proxy that asks a DNS server for `calls.test`: the records name the two ports, the first one to be preferred. */
async function withServers(
  protocol: 'udp' | 'tcp',
  [first, second]: readonly [number, number],
  use: (port: number) => Promise<void>,
): Promise<void> {
  const service = `_sip._${protocol}.calls.test`;
  const dns = await startDnsmasq([
    `--srv-host=${service},a.calls.test,${first},10,1`,
    `--srv-host=${service},b.calls.test,${second},20,1`,
    '--host-record=a.calls.test,127.0.0.1',
    '--host-record=b.calls.test,127.0.0.1',
  ]);
  try {
    const proxy = await startProxy({
      yaml: `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]\ndns: { servers: "${dns.server}" }\nmodules: { tm: { fr_timer: 500 } }`,
      routes: ROUTES,
    });
    try {
      await use(proxy.port);
    } finally {
      await proxy.stop();
    }
  } finally {
    await dns.stop();
  }
}

/** An OPTIONS from a caller at this port. */
function options(port: number, uri: string): Buffer {
  const text = request({ method: 'OPTIONS', uri, sentBy: `127.0.0.1:${port}` });
  return Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
}

/** The callee's 200 to a request that it got. */
function accepted(bytes: unknown): string {
  return response(String(bytes), 200).replaceAll('\n', '\r\n');
}

test('failover, DNS: a request whose preferred SRV target is dead is answered by the second one', {
  skip,
}, async () => {
  const [caller, dead, callee] = await Promise.all([udpSocket(), udpSocket(), udpSocket()]);
  callee.on('message', (bytes, { port }) => callee.send(accepted(bytes), port, '127.0.0.1'));
  try {
    const heard = once(dead, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    await withServers('udp', [dead.address().port, callee.address().port], async (port) => {
      const answered = once(caller, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
      caller.send(options(caller.address().port, 'sip:bob@calls.test'), port, '127.0.0.1');
      const [[first], [answer]] = await Promise.all([heard, answered]);
      assert.match(String(first), /^OPTIONS sip:bob@calls\.test /);
      assert.match(String(answer), /^SIP\/2\.0 200 /);
    });
  } finally {
    for (const socket of [caller, dead, callee]) socket.close();
  }
});

test('failover, DNS: a TCP target that takes no connection gives way to the second one at once', {
  skip,
}, async () => {
  const caller = await udpSocket();
  const callee = createServer((stream) => {
    stream.on('data', (bytes) => stream.write(accepted(bytes)));
    stream.on('error', () => stream.destroy());
  }).listen(0, '127.0.0.1');
  await once(callee, 'listening');
  const address = callee.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    await withServers('tcp', [await freePort(), address.port], async (port) => {
      const answered = once(caller, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
      caller.send(options(caller.address().port, 'sip:bob@calls.test;transport=tcp'), port, '127.0.0.1');
      const [answer] = await answered;
      assert.match(String(answer), /^SIP\/2\.0 200 /);
    });
  } finally {
    caller.close();
    callee.close();
  }
});
