import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfiguration } from '../../core/main/configuration.ts';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';

const skip = missing('openssl') ?? false;
const folder = mkdtempSync(join(tmpdir(), 'kamaiki-test-'));
after(() => rmSync(folder, { recursive: true }));
if (skip === false) {
  const authority = new Authority();
  for (const name of ['a', 'b']) {
    const { certificate, privateKey } = authority.issue(`DNS:${name}.test`);
    writeFileSync(join(folder, `${name}.pem`), certificate);
    writeFileSync(join(folder, `${name}.key`), privateKey);
  }
}
writeFileSync(join(folder, 'junk.pem'), 'junk');

function parse(text: string) {
  const all = `listen: ["tls:127.0.0.1:5061"]\nroutes: r.ts\n${text}`;
  const { configuration, mistakes } = parseConfiguration(all, {
    file: join(folder, 'k.yaml'),
    environment: {},
  });
  return {
    configuration,
    mistakes: mistakes.map(({ code, message }) => `${code} ${message.replaceAll(`${folder}/`, '')}`),
  };
}

test('configuration: every key of tcp is read, in the units that it is written in', () => {
  const { configuration } = parse(`tcp:
  { max_connections: 1, max_connections_per_address: 2, connection_lifetime: 3, max_lifetime: 4, connect_timeout: 5,
    send_timeout: 6, msg_read_timeout: 7, conn_wq_max: 80000, wq_max: 90000, keepidle: 0, accept_aliases: true }
`);
  assert.deepEqual(configuration.tcp, {
    maxConnections: 1,
    maxConnectionsPerAddress: 2,
    idleMs: 3_000,
    lifetimeMs: 4_000,
    connectTimeoutMs: 5_000,
    sendTimeoutMs: 6_000,
    messageTimeoutMs: 7_000,
    connectionQueueBytes: 80_000,
    totalQueueBytes: 90_000,
    keepIdleMs: 0,
    acceptAliases: true,
  });
});

test('configuration: certificates are read, those of server names too, with the defaults', { skip }, () => {
  const { configuration, mistakes } = parse(`tls:
  certificate: a.pem
  private_key: a.key
  server_names: { "*.b.test": { certificate: b.pem, private_key: b.key } }
`);
  assert.deepEqual(mistakes, []);
  const { tls } = configuration;
  assert.deepEqual(
    {
      ...tls,
      certificates: tls?.certificates.map(({ serverName, ...pem }) => [serverName, ...Object.keys(pem)]),
    },
    {
      certificates: [
        [null, 'certificate', 'privateKey'],
        ['*.b.test', 'certificate', 'privateKey'],
      ],
      ca: null,
      minVersion: 'TLSv1.2',
      verifyCertificate: false,
      requireCertificate: false,
      verifyServer: true,
    },
  );
  assert.match(tls?.certificates[1]?.certificate ?? '', /^-----BEGIN CERTIFICATE-----/);
});

test('configuration: every other key of tls is read', { skip }, () => {
  const { configuration, mistakes } = parse(`tls: { certificate: a.pem, private_key: a.key, ca_list: b.pem,
  tls_method: TLSv1.3+, verify_certificate: true, require_certificate: true, verify_server: false }
`);
  assert.deepEqual(mistakes, []);
  const { certificates, ca, ...rest } = configuration.tls ?? {};
  assert.equal(certificates?.length, 1);
  assert.match(ca ?? '', /^-----BEGIN CERTIFICATE-----/);
  assert.deepEqual(rest, {
    minVersion: 'TLSv1.3',
    verifyCertificate: true,
    requireCertificate: true,
    verifyServer: false,
  });
});

const MISTAKES: readonly [what: string, text: string, expected: readonly RegExp[]][] = [
  [
    'no tls at all',
    '',
    [/^ERR_TLS_MISSING k\.yaml:1:9: to listen on tls:127\.0\.0\.1:5061 takes a certificate/],
  ],
  [
    'no private key',
    'tls: { certificate: a.pem }',
    [/^ERR_CONFIG_MISSING k\.yaml:3:6: key 'private_key' is missing/],
  ],
  [
    'a key that there is not',
    'tls: { certificate: a.pem, private_key: a.key, ca_lst: x }',
    [/^ERR_CONFIG_KEY k\.yaml:3:48: unknown key 'ca_lst' in tls; did you mean 'ca_list'\?$/],
  ],
  [
    'files that are not there',
    'tls: { certificate: no.pem, private_key: no.key, ca_list: none }',
    [
      /^ERR_TLS_FILE k\.yaml:3:21: cannot read 'no\.pem': ENOENT/,
      /^ERR_TLS_FILE k\.yaml:3:42: cannot read 'no\.key': ENOENT/,
      /^ERR_TLS_FILE k\.yaml:3:59: cannot read 'none': ENOENT/,
    ],
  ],
  [
    'files that are no PEM',
    'tls: { certificate: junk.pem, private_key: junk.pem, ca_list: junk.pem }',
    [
      /^ERR_TLS_CERTIFICATE k\.yaml:3:21: 'junk\.pem' is no PEM file that TLS can use: /,
      /^ERR_TLS_CERTIFICATE k\.yaml:3:44: 'junk\.pem' is no/,
      /^ERR_TLS_CERTIFICATE k\.yaml:3:63: 'junk\.pem' is no/,
    ],
  ],
  [
    "another certificate's key, also below a server name",
    `tls:
  certificate: a.pem
  private_key: b.key
  server_names:
    b.test: { certificate: b.pem, private_key: a.key }
    c.test: x`,
    [
      /^ERR_TLS_CERTIFICATE k\.yaml:5:16: 'b\.key' is no .*: .*mismatch/,
      /^ERR_TLS_CERTIFICATE k\.yaml:7:48: 'a\.key' is no .*: .*mismatch/,
      /^ERR_CONFIG_VALUE k\.yaml:8:13: tls\.server_names\.c\.test: found "x", expected a mapping/,
    ],
  ],
];
for (const [what, text, expected] of MISTAKES) {
  test(`configuration: reports ${what}`, { skip }, () => {
    const { configuration, mistakes } = parse(text);
    assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
    for (const [i, pattern] of expected.entries()) assert.match(mistakes[i] ?? '', pattern);
    assert.equal(configuration.tls === null, !text.includes('ca_lst'));
  });
}
