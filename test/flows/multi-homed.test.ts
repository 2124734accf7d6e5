/** Whole dialogs through a proxy with several addresses, families and transports, on real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import type { ListenPoint, Protocol } from '../../core/sip/hop.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';
import { credentials } from '../transport/tls-harness.ts';
import { agentOn } from './agent.ts';
import { Call, requestOf, Side, valuesOf } from './dialog.ts';
import { realProxy } from './real-proxy.ts';

const routes = defineRoutes({
  uses: ['tm', 'rr', 'siputils'],
  request({ ksr }) {
    ksr.rr.loose_route();
    if (!ksr.siputils.has_totag()) ksr.rr.record_route();
    return ksr.tm.t_relay();
  },
});
const stateless = defineRoutes({
  uses: ['corex', 'rr', 'siputils'],
  request({ ksr }) {
    ksr.rr.loose_route();
    if (!ksr.siputils.has_totag()) ksr.rr.record_route();
    return ksr.corex.forward();
  },
});
const KINDS = [
  ['with transactions', routes, { tm: {}, rr: {}, siputils: {} }],
  ['without state', stateless, { corex: {}, rr: {}, siputils: {} }],
] as const;

interface Home {
  readonly protocol: Protocol;
  readonly address: string;
  readonly advertise?: string;
}

const PAIRS: readonly (readonly [what: string, caller: Home, callee: Home])[] = [
  ['UDP and TCP', { protocol: 'udp', address: '127.0.0.1' }, { protocol: 'tcp', address: '127.0.0.1' }],
  ['TCP and UDP', { protocol: 'tcp', address: '127.0.0.1' }, { protocol: 'udp', address: '127.0.0.2' }],
  [
    'two IPv4 addresses',
    { protocol: 'udp', address: '127.0.0.1' },
    { protocol: 'udp', address: '127.0.0.2' },
  ],
  ['IPv4 and IPv6', { protocol: 'udp', address: '127.0.0.1' }, { protocol: 'udp', address: '::1' }],
  ['IPv6 TCP and IPv4 UDP', { protocol: 'tcp', address: '::1' }, { protocol: 'udp', address: '127.0.0.1' }],
  [
    'two advertised names',
    { protocol: 'udp', address: '127.0.0.1', advertise: 'inside.example.com' },
    { protocol: 'tcp', address: '127.0.0.2', advertise: '203.0.113.5' },
  ],
  [
    'one advertised IPv6 address and a plain one',
    { protocol: 'udp', address: '::1', advertise: '2001:db8::5' },
    { protocol: 'udp', address: '127.0.0.1' },
  ],
  ['UDP and TLS', { protocol: 'udp', address: '127.0.0.1' }, { protocol: 'tls', address: '127.0.0.1' }],
  ['TLS and TCP', { protocol: 'tls', address: '127.0.0.2' }, { protocol: 'tcp', address: '::1' }],
];

function option({ protocol, address, advertise }: Home): ListenOption {
  const told = advertise === undefined ? {} : { advertise: { host: advertise, port: 5099 } };
  return { protocol, host: address, port: 0, ...told };
}

function uri({ protocol, sentBy: place }: ListenPoint): string {
  return `sip:${place}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
}

/** Protocol and sent-by of a message's top Via. */
function sentBy(message: string): string {
  return valuesOf(message, 'Via')[0]?.split(';', 1)[0] ?? '';
}

/** Whether a message that came from there has left by this listen point; a connection has a port of its own. */
function isFrom({ protocol, address, port }: ListenPoint, place: string): boolean {
  return protocol === 'udp' ? place.endsWith(`:${port}`) : place.includes(address);
}

for (const [what, inside, outside] of PAIRS) {
  for (const [kind, handlers, modules] of KINDS) {
    const isSecure = [inside, outside].some(({ protocol }) => protocol === 'tls');
    test(`multi-homed: a dialog between ${what}, ${kind}`, {
      skip: isSecure && (missing('openssl') ?? false),
    }, async (t) => {
      const authority = isSecure ? new Authority() : null;
      const keys = authority?.issue('IP:127.0.0.1') ?? null;
      const proxy = await realProxy(t, {
        listen: [option(inside), option(outside)],
        routes: handlers,
        modules,
        ...(authority !== null && keys !== null
          ? { credentials: credentials(authority, keys, { verifyServer: false }) }
          : {}),
      });
      const [into, out] = [proxy.point(0), proxy.point(1)];
      const caller = await agentOn(t, inside.protocol, { address: inside.address, keys });
      const callee = await agentOn(t, outside.protocol, { address: outside.address, keys });
      const call = new Call(new Side(caller, 'alice'), new Side(callee, 'bob'), {
        callId: `${what} ${kind}`.replaceAll(' ', '-'),
        named: proxy.named,
      });
      // Where both are alike, only the Route can say by which one to leave.
      const alike = into.protocol === out.protocol && into.family === out.family;
      const preloaded = alike ? [`<${uri(into)};r2=on;lr>`, `<${uri(out)};r2=on;lr>`] : [`<${uri(into)};lr>`];
      const { text, from } = await call.invite({ routes: preloaded });
      assert.deepEqual(valuesOf(text, 'Record-Route'), [
        `<${uri(out)};r2=on;lr;ftag=alice>`,
        `<${uri(into)};r2=on;lr;ftag=alice>`,
      ]);
      const outVia = `SIP/2.0/${out.protocol.toUpperCase()} ${out.sentBy}`;
      const inVia = `SIP/2.0/${into.protocol.toUpperCase()} ${into.sentBy}`;
      assert.equal(sentBy(text), outVia);
      assert.ok(isFrom(out, from), `${from} is ${out.address}:${out.port}`);
      for (const [method, by] of [
        ['INVITE', 'callee'],
        ['INVITE', 'caller'],
        ['INFO', 'callee'],
        ['BYE', 'caller'],
        // A second BYE: this proxy keeps no dialogs, and the other way has to be right as well.
        ['BYE', 'callee'],
      ] as const) {
        const got = await call.within(method, by);
        const [point, via] = by === 'caller' ? [out, outVia] : [into, inVia];
        assert.equal(sentBy(got.text), via, `${method} by the ${by}`);
        assert.ok(isFrom(point, got.from), `${method} by the ${by}: ${got.from}`);
        assert.deepEqual(valuesOf(got.text, 'Record-Route'), []);
      }
    });
  }
}

test('multi-homed: what is too large for UDP goes by TCP from the same address', async (t) => {
  const homes = (['udp', 'tcp'] as const).flatMap((protocol) =>
    ['127.0.0.1', '127.0.0.2'].map((address) => ({ protocol, address })),
  );
  const [kind] = KINDS;
  const proxy = await realProxy(t, { listen: homes.map(option), routes: kind[1], modules: kind[2] });
  const [caller, callee] = [await agentOn(t, 'udp'), await agentOn(t, 'tcp')];
  const text = requestOf(caller, {
    method: 'MESSAGE',
    uri: `sip:bob@${callee.sentBy}`,
    from: '<sip:a@example.org>;tag=a',
    to: '<sip:b@example.org>',
    callId: 'large',
    cseq: 1,
    headers: `X-Filling: ${'x'.repeat(1_300)}\r\n`,
  });
  await caller.send(text, proxy.point(1));
  const got = await callee.next('MESSAGE');
  assert.equal(sentBy(got.text), `SIP/2.0/TCP ${proxy.point(3).sentBy}`);
  assert.ok(isFrom(proxy.point(3), got.from), got.from);
});
