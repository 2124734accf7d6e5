import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AccessRules } from '../../modules/memcached/access.ts';
import type { CacheClient, ClientOptions } from '../../modules/memcached/client.ts';
import { parseServers } from '../../modules/memcached/server-list.ts';
import type { KeyPair } from '../programs/certificates.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { defaultParams } from './default-params.ts';
import { PATIENCE_MS } from './fake-server.ts';
import { clientOf } from './rig.ts';

/** A client as the module makes it from its parameters, and what it logged at warn and above. */
export function clientWith(
  t: TestContext,
  given: Partial<ReturnType<typeof defaultParams>>,
  options: Partial<ClientOptions> = {},
): { readonly client: CacheClient; readonly logged: () => readonly string[] } {
  const params = { ...defaultParams(), ...given };
  const parsed = parseServers(params.servers);
  assert.ok(parsed.ok, params.servers);
  const log = recordedLog();
  const rules = new AccessRules(params, parsed.servers, log);
  const servers = parsed.servers.map((entry) => ({ ...entry, access: rules.accessOf(entry) }));
  return {
    client: clientOf(t, [], { log, servers, ...options }),
    logged: () =>
      log.lines.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`),
  };
}

/** Starts a memcached with TLS, which ends with the test. */
export async function startSecureMemcached(
  t: TestContext,
  { certificateFile, keyFile }: KeyPair,
  { port, more = '' }: { readonly port?: number; readonly more?: string } = {},
): Promise<Memcached> {
  const args = ['-Z', '-o', `ssl_chain_cert=${certificateFile},ssl_key=${keyFile}${more}`];
  const memcached = await startMemcached(port === undefined ? { args } : { port, args });
  t.after(() => memcached.kill());
  return memcached;
}

/** A server that speaks TLS and keeps what is sent to it; it ends with the test. */
export async function startTlsListener(
  t: TestContext,
  options: TlsOptions,
): Promise<{
  readonly port: number /** Resolves to what came over the first connection, once it has ended. */;
  readonly received: Promise<string>;
}> {
  const server = createServer(options);
  let text = '';
  const received = new Promise<string>((resolve) => {
    server.on('connection', (socket) => socket.once('close', () => resolve(text)).on('error', () => {}));
  });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a TCP port
  return { port: (server.address() as AddressInfo).port, received };
}

/** Reads until a read has this status. */
export async function untilRead(client: CacheClient, status: string): Promise<void> {
  const patience = performance.now() + PATIENCE_MS;
  for (;;) {
    const outcome = await client.read('k');
    if (outcome.status === status) return;
    assert.ok(performance.now() < patience, `still ${JSON.stringify(outcome)}`);
    await delay(5);
  }
}
