import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { DEFAULT_CONNECTION_LIMITS as LIMITS } from '../../core/transport/connection-limits.ts';
import { isCertificateOf } from '../../core/transport/tls-identity.ts';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';
import { failure } from './harness.ts';
import { client, idOf, request, server, streams } from './stream-harness.ts';
import { credentials, settings, TLS, tlsClient } from './tls-harness.ts';

const skip = missing('openssl') ?? false;
const authority = skip === false ? new Authority() : null;

/** Runs where openssl is there. */
function tlsTest(
  name: string,
  run: (t: Parameters<typeof streams>[0], ca: Authority) => Promise<void>,
): void {
  test(name, { skip }, async (t) => {
    assert.ok(authority);
    await run(t, authority);
  });
}

const TO_SELF = { protocol: 'tls', address: '127.0.0.1' } as const;

tlsTest(
  'tls: requests and replies go between two proxies, each verified by the name in the URI',
  async (t, ca) => {
    const own = credentials(ca, ca.issue('DNS:one.example.com'));
    const other = credentials(ca, ca.issue('DNS:two.example.com'));
    const callee = await streams(t, { listen: [TLS], credentials: other });
    const caller = await streams(t, { listen: [TLS], credentials: own });
    const target = { ...TO_SELF, port: callee.point.port, host: 'two.example.com' };
    for (const id of ['1', '2']) caller.transports.send(request(id), target);
    const { received } = await callee.arrival(1);
    assert.deepEqual(
      callee.arrived.map(({ bytes }) => idOf(bytes)),
      ['1', '2'],
    );
    callee.transports.send(request('back'), { ...TO_SELF, port: received.port, flow: received.flow });
    assert.equal(idOf((await caller.arrival(0)).bytes), 'back');
  },
);

for (const [what, host, names] of [
  ['another name', 'other.example.com', 'DNS:two.example.com'],
  ['a numeric address that it does not have', '127.0.0.1', 'DNS:two.example.com'],
  ['a name that only a wildcard covers (RFC 5922 7.2)', 'two.example.com', 'DNS:*.example.com'],
] as const) {
  tlsTest(`tls: a server is not sent to under ${what}`, async (t, ca) => {
    const callee = await streams(t, { listen: [TLS], credentials: credentials(ca, ca.issue(names)) });
    const { transports } = await streams(t, {
      listen: [TLS],
      credentials: credentials(ca, ca.issue('DNS:a')),
    });
    const error = await failure(transports, request('1'), { ...TO_SELF, port: callee.point.port, host });
    assert.match(error.message, /certificate is not that of/);
    assert.deepEqual(callee.arrived, []);
  });
}

tlsTest(
  'tls: a server whose certificate no one trusts is not sent to, unless verify_server is off',
  async (t, ca) => {
    const stranger = new Authority();
    const callee = await streams(t, {
      listen: [TLS],
      credentials: credentials(stranger, stranger.issue('DNS:two.example.com')),
    });
    const target = { ...TO_SELF, port: callee.point.port, host: 'two.example.com' };
    const own = ca.issue('DNS:one.example.com');
    const strict = await streams(t, { listen: [TLS], credentials: credentials(ca, own) });
    assert.match((await failure(strict.transports, request('1'), target)).message, /certificate|unable to/i);
    const lax = await streams(t, {
      listen: [TLS],
      credentials: credentials(ca, own, { verifyServer: false }),
    });
    lax.transports.send(request('2'), target);
    assert.equal(idOf((await callee.arrival(0)).bytes), '2');
  },
);

tlsTest('tls: a connection is not used for a name that its peer has not proved', async (t, ca) => {
  const callee = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:a.test, DNS:b.test')),
  });
  const { transports } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:c.test')),
  });
  const { port } = callee.point;
  const send = (id: string, host: string): void => transports.send(request(id), { ...TO_SELF, port, host });
  send('1', 'a.test');
  await callee.arrival(0);
  send('2', 'b.test');
  await callee.arrival(1);
  const [first, second] = callee.arrived;
  assert.equal(second?.received.flow, first?.received.flow);
  const error = await failure(transports, request('3'), { ...TO_SELF, port, host: 'c.test' });
  assert.match(error.message, /certificate is not that of c\.test/);
});

tlsTest('tls: what is sent to one host while its connection is being set up shares it', async (t, ca) => {
  const callee = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:a.test, IP:127.0.0.1')),
  });
  const { transports } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:c.test')),
  });
  const target = { ...TO_SELF, port: callee.point.port };
  for (const id of ['1', '2']) transports.send(request(id), target);
  for (const id of ['3', '4']) transports.send(request(id), { ...target, host: 'a.test' });
  await callee.arrival(3);
  assert.equal(new Set(callee.arrived.map(({ received }) => received.flow)).size, 2);
});

tlsTest('tls: a client that asks for a name gets the certificate of it', async (t, ca) => {
  const named = (serverName: string | null, names: string) => {
    const { certificate, privateKey } = ca.issue(names);
    return { serverName, certificate, privateKey };
  };
  const certificates = [
    named(null, 'DNS:default.test'),
    named('one.test', 'DNS:one.test'),
    named('*.two.test', 'DNS:*.two.test'),
  ];
  const { point } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:unused'), { certificates }),
  });
  for (const [asked, expected] of [
    ['ONE.test', 'DNS:one.test'],
    ['x.two.test', 'DNS:*.two.test'],
    ['x.y.two.test', 'DNS:default.test'],
    ['three.test', 'DNS:default.test'],
  ] as const)
    assert.equal((await tlsClient(t, point.port, { servername: asked })).names, expected);
  assert.equal((await tlsClient(t, point.port)).names, 'DNS:default.test');
});

tlsTest('tls: new certificates count for new connections, and connections there are go on', async (t, ca) => {
  const own = credentials(ca, ca.issue('DNS:old.test'));
  const { arrival, point } = await streams(t, { listen: [TLS], credentials: own });
  const before = await tlsClient(t, point.port);
  assert.equal(before.names, 'DNS:old.test');
  own.use(settings(ca, ca.issue('DNS:new.test')));
  assert.equal((await tlsClient(t, point.port)).names, 'DNS:new.test');
  before.inbox.socket.write(request('1'));
  await arrival(0);
});

tlsTest('tls: new certificates that are no good leave the ones before in force', async (t, ca) => {
  const own = credentials(ca, ca.issue('DNS:old.test'));
  const { point } = await streams(t, { listen: [TLS], credentials: own });
  const bad = { ...ca.issue('DNS:new.test'), privateKey: ca.issue('DNS:x').privateKey };
  assert.throws(() => own.use(settings(ca, bad)), /mismatch/);
  assert.equal((await tlsClient(t, point.port)).names, 'DNS:old.test');
});

tlsTest('tls: versions below the lowest are refused', async (t, ca) => {
  const own = credentials(ca, ca.issue('DNS:a.test'), { minVersion: 'TLSv1.3' });
  const { transports, point } = await streams(t, { listen: [TLS], credentials: own });
  await assert.rejects(tlsClient(t, point.port, { maxVersion: 'TLSv1.2' }), /protocol version|reset/i);
  assert.equal((await tlsClient(t, point.port)).version, 'TLSv1.3');
  assert.equal(transports.statistics()[0]?.errors, 1);
});

const CLIENTS: readonly [
  name: string,
  own: 'none' | 'trusted' | 'foreign',
  taken: Record<'off' | 'verify' | 'require', boolean>,
][] = [
  ['no certificate', 'none', { off: true, verify: true, require: false }],
  ['a certificate that is trusted', 'trusted', { off: true, verify: true, require: true }],
  ['a certificate that is not trusted', 'foreign', { off: true, verify: false, require: false }],
];
for (const [name, kind, taken] of CLIENTS) {
  tlsTest(`tls: a client with ${name} is taken as verify_ and require_certificate say`, async (t, ca) => {
    const signer = kind === 'foreign' ? new Authority() : ca;
    const own = kind === 'none' ? null : signer.issue('DNS:client.test');
    for (const mode of ['off', 'verify', 'require'] as const) {
      const more = { verifyCertificate: mode !== 'off', requireCertificate: mode === 'require' };
      const { arrival, point } = await streams(t, {
        listen: [TLS],
        credentials: credentials(ca, ca.issue('DNS:a.test'), more),
      });
      const certificate = own === null ? {} : { cert: own.certificate, key: own.privateKey };
      // TLS 1.2: the client learns of a refusal in the handshake.
      const taker = await tlsClient(t, point.port, { ...certificate, maxVersion: 'TLSv1.2' }).catch(
        () => null,
      );
      taker?.inbox.socket.write(request('1'));
      if (taken[mode]) await arrival(0);
      else await taker?.inbox.end();
      assert.ok(taken[mode] === (taker !== null && !taker.inbox.ended), mode);
    }
  });
}

tlsTest('tls: a handshake that does not end is given up, and its sender told', async (t, ca) => {
  const { transports, clock } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:a.test')),
  });
  const silent = await server(t);
  const failed = failure(transports, request('1'), { ...silent.target, protocol: 'tls', host: 'b.test' });
  await silent.connection(0);
  clock.advance(LIMITS.connectTimeoutMs - 1);
  assert.equal(silent.inboxes[0]?.ended, false);
  clock.advance(1);
  assert.equal((await failed).message, 'connect timeout');
});

tlsTest('tls: above the limit a new connection is closed before its handshake', async (t, ca) => {
  const { point } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:a.test')),
    limits: { maxConnections: 1 },
  });
  await tlsClient(t, point.port);
  await assert.rejects(tlsClient(t, point.port), /ECONNRESET|disconnected|EPIPE/);
});

tlsTest(
  'tls: an alias is heeded only where the peer proves to be its sent-by (RFC 5923 8.2)',
  async (t, ca) => {
    const { transports, arrival, point } = await streams(t, {
      listen: [TLS],
      credentials: credentials(ca, ca.issue('DNS:a.test'), { verifyCertificate: true }),
      limits: { acceptAliases: true },
    });
    const aliased = await server(t);
    const { port } = aliased.target;
    const via = `SIP/2.0/TLS peer.test:${port};branch=z9hG4bK1;alias`;
    // The second says that it is the first.
    const inboxes = [];
    for (const [i, name] of ['peer.test', 'liar.test'].entries()) {
      const { certificate: cert, privateKey: key } = ca.issue(`DNS:${name}`);
      const { inbox } = await tlsClient(t, point.port, { cert, key });
      inbox.socket.write(request(String(i), { via }));
      await arrival(i);
      inboxes.push(inbox);
    }
    transports.send(request('3'), { ...TO_SELF, port, host: 'peer.test' });
    await inboxes[0]?.has(/Call-ID: 3/);
    assert.equal(inboxes[1]?.text, '');
  },
);

const IDENTITIES: readonly [names: string, cn: string, host: string, is: boolean][] = [
  ['DNS:example.com', 'x', 'EXAMPLE.com', true],
  ['DNS:example.com', 'x', 'sip.example.com', false],
  ['URI:sip:example.com, DNS:sip.example.com', 'x', 'example.com', true],
  ['URI:sip:example.com, DNS:sip.example.com', 'x', 'sip.example.com', false],
  ['URI:sip:alice@example.com, DNS:sip.example.com', 'x', 'example.com', false],
  ['URI:sip:alice@example.com, DNS:sip.example.com', 'x', 'sip.example.com', true],
  ['URI:https://example.com', 'x', 'example.com', false],
  ['IP:192.0.2.1', 'x', '192.0.2.1', true],
  ['IP:2001:db8::1', 'x', '2001:db8:0::1', true],
  ['DNS:192.0.2.1', 'x', '192.0.2.1', false],
  ['', 'example.com', 'example.com', true],
  ['DNS:other.com', 'example.com', 'example.com', false],
];
for (const [names, cn, host, is] of IDENTITIES) {
  tlsTest(
    `tls: a certificate with ${names || `CN ${cn}`} is ${is ? '' : 'not '}that of ${host}`,
    async (_, ca) => {
      assert.equal(isCertificateOf(new X509Certificate(ca.issue(names, cn).certificate), host), is);
    },
  );
}

test('tls: names inside a name of a certificate are not taken for its own', { skip }, () => {
  const certificate = {
    subjectAltName: 'DNS:"a, URI:sip:example.com"',
    checkHost: () => undefined,
    checkIP: () => undefined,
  };
  assert.equal(isCertificateOf(certificate, 'example.com'), false);
});

tlsTest('tls: closing ends handshakes under way', async (t, ca) => {
  const { transports, point } = await streams(t, {
    listen: [TLS],
    credentials: credentials(ca, ca.issue('DNS:a.test')),
  });
  const silent = await client(t, point.port);
  // It has been taken when one behind it has.
  await tlsClient(t, point.port);
  await transports.close();
  await silent.end();
});
