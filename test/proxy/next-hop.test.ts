import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Myself } from '../../core/proxy/myself.ts';
import { NextHop } from '../../core/proxy/next-hop.ts';
import type { Protocol } from '../../core/sip/hop.ts';
import type { SipRequest } from '../../core/sip/message.ts';
import type { DnsQueries } from '../../core/transport/dns-client.ts';
import { type Lookup, Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { linesOf, printed, proxyPoint, request } from '../modules/fake-core.ts';

const unknownHost: Lookup = (host, _family, done) => done(new Error(`no such host as ${host}`), '');

function nextHop(lookup = unknownHost, families: readonly (readonly [Protocol, 0 | 4 | 6])[] = [['udp', 4]]) {
  const clock = new FakeClock();
  return new NextHop({
    myself: new Myself([proxyPoint], []),
    resolver: new Resolver({ clock, lookup }),
    families: new Map(families),
  });
}

/** `protocol:address:port` of where a request goes, or the status and reason of why not. */
async function way(msg: SipRequest, hop = nextHop()): Promise<string> {
  const found = await hop.resolve(msg);
  if (!found.ok) return `${found.status} ${found.reason}`;
  return `${found.target.protocol}:${found.target.address}:${found.target.port}`;
}

const OWN = '<sip:192.0.2.1;lr>';

test('next hop: $du goes over Route, Route over Request-URI', async () => {
  const headers = ['Route: <sip:10.0.0.7;lr>'];
  const msg = request({ uri: 'sip:bob@10.0.0.3', headers });
  assert.equal(await way(request({ uri: 'sip:bob@10.0.0.3' })), 'udp:10.0.0.3:5060');
  assert.equal(await way(msg), 'udp:10.0.0.7:5060');
  msg.nextHop = 'sip:10.0.0.8:5090';
  assert.equal(await way(msg), 'udp:10.0.0.8:5090');
  assert.deepEqual(linesOf(printed(msg), 'route'), headers);
});

test('next hop: all Routes on top that name this proxy are taken off', async () => {
  const msg = request({
    headers: [`Route: ${OWN}, <sip:192.0.2.1:5060>`, `Route: ${OWN},<sip:10.0.0.7;lr>, ${OWN}`],
  });
  assert.equal(await way(msg), 'udp:10.0.0.7:5060');
  assert.deepEqual(linesOf(printed(msg), 'route'), [`Route: <sip:10.0.0.7;lr>, ${OWN}`]);
});

test('next hop: with no Route but our own the Request-URI says where', async () => {
  const msg = request({ uri: 'sip:bob@10.0.0.3', headers: [`Route: ${OWN}`] });
  assert.equal(await way(msg), 'udp:10.0.0.3:5060');
  assert.deepEqual(linesOf(printed(msg), 'route'), []);
});

/** A strict router, alone and above another Route, and the Routes that it then leaves with. */
const STRICT: readonly (readonly [string, readonly string[]])[] = [
  [`${OWN}, <sip:10.0.0.7;x=1>, <sip:10.0.0.8;lr>`, ['<sip:10.0.0.8;lr>', '<sip:bob@10.0.0.3>']],
  ['<sip:10.0.0.7;x=1>', ['<sip:bob@10.0.0.3>']],
];
for (const [route, left] of STRICT) {
  test(`next hop: ${route}: the strict router becomes the Request-URI of the branch, and the Request-URI its last Route`, async () => {
    const msg = request({ uri: 'sip:bob@10.0.0.3', headers: [`Route: ${route}`] });
    const hop = nextHop();
    // Twice, as for two branches: each is rewritten by itself.
    for (let branch = 0; branch < 2; branch += 1) {
      const found = await hop.resolve(msg);
      assert(found.ok && found.rewritten !== undefined);
      assert.deepEqual(found.target, { protocol: 'udp', address: '10.0.0.7', port: 5060 });
      assert.equal(found.rewritten.uri, 'sip:10.0.0.7;x=1');
      assert.deepEqual(
        linesOf(printed(found.rewritten), 'route'),
        left.map((value) => `Route: ${value}`),
      );
    }
    assert.equal(msg.uri, 'sip:bob@10.0.0.3');
    assert.deepEqual(linesOf(printed(msg), 'route').at(-1)?.includes('bob'), false);
  });
}

test('next hop: a maddr that only led here is taken off the Request-URI of the branch', async () => {
  const msg = request({ uri: 'sip:bob@10.0.0.3:5060;maddr=192.0.2.1;transport=udp;x=1' });
  const found = await nextHop().resolve(msg);
  assert(found.ok);
  assert.equal(found.target.address, '10.0.0.3');
  assert.equal(found.rewritten?.uri, 'sip:bob@10.0.0.3;x=1');
  assert.equal(msg.uri, 'sip:bob@10.0.0.3:5060;maddr=192.0.2.1;transport=udp;x=1');
  assert.equal(await way(request({ uri: 'sip:bob@10.0.0.3:5070;maddr=192.0.2.1' })), 'udp:192.0.2.1:5070');
});

const ONE_HOP: readonly (readonly [string, string])[] = [
  ['sip:bob@10.0.0.3;maddr=10.0.0.9', 'udp:10.0.0.9:5060'],
  ['sip:bob@example.com:5066;maddr=10.0.0.9', 'udp:10.0.0.9:5066'],
  ['sip:bob@10.0.0.3;transport=UDP', 'udp:10.0.0.3:5060'],
  ['SIP:10.0.0.3:1', 'udp:10.0.0.3:1'],
  ['tel:+15551234', '416 no way to reach a tel URI'],
  ['sip:bob@10.0.0.3;transport=tcp', '478 no listen address for transport tcp'],
  ['sips:bob@10.0.0.3', '478 no listen address for transport tls'],
  ['sip:bob@10.0.0.3;transport=carrier-pigeon', '478 no listen address for transport carrier-pigeon'],
  ['sip:bob@[2001:db8::3]', '478 2001:db8::3: 2001:db8::3 is not an IPv4 address'],
  ['sip:bob@nowhere.example.org', '478 nowhere.example.org: no such host as nowhere.example.org'],
  ['sip:bob@127.1', '478 127.1: not a host name'],
];
for (const [uri, wanted] of ONE_HOP) {
  test(`next hop: ${uri}: ${wanted}`, async () => assert.equal(await way(request({ uri })), wanted));
}

test('next hop: a Route of another scheme is 416, a malformed one 400', async () => {
  const found = [];
  for (const route of ['<http://10.0.0.7;lr>', '<sip:10.0.0.7', '<sip:@;lr>', 'x'])
    found.push((await way(request({ headers: [`Route: ${route}`] }))).slice(0, 3));
  assert.deepEqual(found, ['416', '400', '400', '400']);
});

test('next hop: a malformed $du is 400', async () => {
  const msg = request();
  msg.nextHop = '10.0.0.3';
  assert.match(await way(msg), /^400 next hop URI: /);
});

test('next hop: a numeric address comes at once, a name as a promise', () => {
  const hop = nextHop((_host, _family, done) => done(null, '10.0.0.4'));
  assert.ok(!(hop.resolve(request({ uri: 'sip:10.0.0.3' })) instanceof Promise));
  assert.ok(hop.resolve(request({ uri: 'sip:a.example.org' })) instanceof Promise);
});

test('next hop: names are looked up in the family of the listening protocol', async () => {
  const asked: number[] = [];
  const lookup: Lookup = (_host, family, done) => {
    asked.push(family);
    done(null, family === 6 ? '2001:db8::4' : '10.0.0.4');
  };
  const msg = request({ uri: 'sip:a.example.org' });
  const ways = [];
  for (const family of [4, 6, 0] as const) ways.push(await way(msg, nextHop(lookup, [['udp', family]])));
  assert.deepEqual(asked, [4, 6, 0]);
  assert.deepEqual(ways, ['udp:10.0.0.4:5060', 'udp:2001:db8::4:5060', 'udp:10.0.0.4:5060']);
});

test('next hop: more hops than its cache holds are all found, before and after', async () => {
  const hop = nextHop();
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 1_200; i += 1) {
      const uri = `sip:bob@10.1.${i >> 8}.${i & 255}`;
      assert.equal(await way(request({ uri }), hop), `udp:10.1.${i >> 8}.${i & 255}:5060`);
    }
  }
});

/** A DNS in which example.org offers TLS at two servers, and UDP for those who ask for it. */
const DNS: DnsQueries = {
  naptr: (name) =>
    Promise.resolve({
      ok: true,
      records: [
        {
          order: 1,
          preference: 1,
          flags: 's',
          service: 'SIPS+D2T',
          regexp: '',
          replacement: `_sips._tcp.${name}`,
        },
      ],
    }),
  srv: (name) =>
    Promise.resolve({
      ok: true,
      records: [1, 2].map((i) => ({
        name: `s${i}.example.net`,
        port: (name.startsWith('_sip._udp.') ? 7_000 : 6_000) + i,
        priority: i,
        weight: 0,
      })),
    }),
  addresses: (name) =>
    Promise.resolve({ ok: true, records: [{ address: `10.0.0.${name.charAt(1)}`, ttl: 60 }] }),
};

function dnsHop(protocols: readonly Protocol[]) {
  return new NextHop({
    myself: new Myself([proxyPoint], []),
    resolver: new Resolver({ clock: new FakeClock(), lookup: unknownHost }),
    dns: DNS,
    families: new Map(protocols.map((protocol) => [protocol, 4])),
  });
}

test("next hop: servers that DNS names for TLS have to prove the URI's domain, the alternatives too", async () => {
  const found = await dnsHop(['udp', 'tls']).resolve(request({ uri: 'sip:bob@example.org' }));
  const host = 'example.org';
  assert.deepEqual(found, {
    ok: true,
    target: { protocol: 'tls', address: '10.0.0.1', port: 6_001, host },
    alternatives: [{ protocol: 'tls', address: '10.0.0.2', port: 6_002, host }],
  });
});

test('next hop: DNS may choose a protocol where the default one is not listened on', async () => {
  const hop = dnsHop(['tls']);
  assert.equal(await way(request({ uri: 'sip:bob@example.org' }), hop), 'tls:10.0.0.1:6001');
  const numeric = await way(request({ uri: 'sip:bob@10.0.0.3' }), hop);
  assert.equal(numeric, '478 no listen address for transport udp');
});

test('next hop: a transport parameter leaves DNS the server only', async () => {
  const hop = dnsHop(['udp', 'tls']);
  const uri = 'sip:bob@example.org;transport=udp';
  assert.equal(await way(request({ uri }), hop), 'udp:10.0.0.1:7001');
});

test('next hop: all addresses of a name are alternatives', async () => {
  const hop = nextHop((_host, _family, done) => done(null, ['10.0.0.4', '10.0.0.5']));
  const found = await hop.resolve(request({ uri: 'sip:a.example.org:5070' }));
  const place = { protocol: 'udp', port: 5_070 };
  assert.deepEqual(found, {
    ok: true,
    target: { ...place, address: '10.0.0.4' },
    alternatives: [{ ...place, address: '10.0.0.5' }],
  });
});

function overAll(): NextHop {
  return nextHop(unknownHost, [
    ['udp', 4],
    ['tcp', 4],
    ['tls', 4],
  ]);
}

test('next hop: a request with a SIPS Request-URI leaves by what is secure, whatever else leads it (16.6 step 7)', async () => {
  const uri = 'SIPS:bob@10.0.0.3';
  const routed = (route: string): SipRequest => request({ uri, headers: [`Route: <${route}>`] });
  const byDu = request({ uri });
  byDu.nextHop = 'sip:10.0.0.8';
  assert.equal(await way(byDu, overAll()), 'tls:10.0.0.8:5061');
  assert.equal(await way(routed('sip:10.0.0.7:5090;lr'), overAll()), 'tls:10.0.0.7:5090');
  assert.equal(await way(routed('sip:10.0.0.7;transport=tcp;lr'), overAll()), 'tls:10.0.0.7:5061');
  assert.equal(await way(routed('sip:10.0.0.7'), overAll()), 'tls:10.0.0.7:5061', 'a strict router');
  assert.match(
    await way(routed('sip:10.0.0.7;transport=udp;lr'), overAll()),
    /^478 nothing secure goes over udp$/,
  );
  assert.match(await way(routed('sip:10.0.0.7;lr')), /^478 no listen address/);
  // The same next hop for another request, before and after.
  const hop = overAll();
  const plain = request({ headers: ['Route: <sip:10.0.0.7;lr>'] });
  assert.equal(await way(plain, hop), 'udp:10.0.0.7:5060');
  assert.equal(await way(routed('sip:10.0.0.7;lr'), hop), 'tls:10.0.0.7:5061');
  assert.equal(await way(plain, hop), 'udp:10.0.0.7:5060');
});
