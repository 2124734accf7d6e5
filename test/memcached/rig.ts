import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { CacheClient, type ClientOptions } from '../../modules/memcached/client.ts';
import { EmbeddedServer } from '../../modules/memcached/embedded/embedded-server.ts';
import type { ServerAddress } from '../../modules/memcached/server-list.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** Long enough for a slow machine, ms. */
export const PATIENT_TIMEOUT_MS = 20_000;

/** A server under test. */
export interface Backend {
  readonly address: ServerAddress;
  /** Value of the parameter `servers` that names it. */
  readonly servers: string;
}

/** A kind of server; `skip` says why it cannot be tested here. */
export interface BackendKind {
  readonly name: string;
  readonly skip: string | false;
  /** Starts one, which ends with the test. */
  start(test: TestContext): Promise<Backend>;
}

async function startEmbedded(test: TestContext): Promise<Backend> {
  const server = new EmbeddedServer();
  test.after(() => server.stop());
  const address = await server.start();
  return { address, servers: address.kind === 'unix' ? `unix:${address.path}` : `127.0.0.1:${address.port}` };
}

async function startReal(test: TestContext): Promise<Backend> {
  const server = await startMemcached({ args: ['-m', '64', '-t', '1'] });
  // SIGKILL: on SIGTERM it takes a second to end.
  test.after(() => server.kill());
  return { address: { kind: 'tcp', host: '127.0.0.1', port: server.port }, servers: server.server };
}

/** The servers that the module's own suite runs on. */
export const backends: readonly BackendKind[] = [
  { name: 'embedded', skip: false, start: startEmbedded },
  { name: 'memcached', skip: missing('memcached') ?? false, start: startReal },
];

/** Sends raw commands and resolves to all that is answered, one char a byte. */
export async function rawExchange(address: ServerAddress, commands: string): Promise<string> {
  const socket = connect(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.write(`${commands}quit\r\n`, 'latin1');
  await once(socket, 'close');
  return answer;
}

/** The process's time, for tests that talk to a real server. */
export function realClock(test: TestContext): Clock {
  const clock = new TimerWheel({
    onError: (error) => {
      throw error;
    },
  });
  test.after(() => clock.close());
  return clock;
}

/** A client of these servers; it ends with the test. */
export function clientOf(
  test: TestContext,
  addresses: readonly ServerAddress[],
  options: Partial<ClientOptions> & { readonly log?: Logger } = {},
): CacheClient {
  const client = new CacheClient({
    servers: addresses.map((address) => ({ address, weight: 1 })),
    expire: 100,
    mode: 0,
    timeoutMs: PATIENT_TIMEOUT_MS,
    stringify: false,
    clock: options.clock ?? realClock(test),
    log: recordedLog(),
    ...options,
  });
  test.after(() => client.stop());
  return client;
}
