/**
 * The module's client against other clients for Node.js, on one memcached: operations a second, CPU of this process, and reads and writes of its
 * sockets for each operation (from /proc/self/io: waiting for events is not in there). Asks for 1, 16 and 256 operations at a time, and for a mix
 * of four, as a call makes them. Best of several rounds by CPU.
 *
 *     node dist/test/bench/memcached.bench.js
 */
import { readFileSync } from 'node:fs';
import { Memcache } from 'memcache';
import { MemcacheClient } from 'memcache-client';
// @ts-expect-error -- memjs has no types of its own
import memjsLibrary from 'memjs';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { CacheClient } from '../../modules/memcached/client.ts';
import { startMemcached } from '../programs/memcached.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** Operations of one round; fewer where each waits for the one before. */
const OPERATIONS = 20_000;
const OPERATIONS_ONE_BY_ONE = 6000;
/** Rounds of each client, in turns. */
const ROUNDS = 4;
const KEYS = 1000;
const VALUE = '198.51.100.7:5060';
const EXPIRE_S = 100;

type Operation = 'set' | 'get' | 'incr' | 'delete';
type Load = Operation | 'mix';

/** What a call asks for: its address stored, read and deleted, and a counter. */
const MIX: readonly Operation[] = ['set', 'incr', 'get', 'delete'];

const LOADS: readonly (readonly [Load, perTurn: number])[] = [
  ...(['set', 'get', 'incr'] as const).flatMap((load) =>
    [1, 16, 256].map((perTurn) => [load, perTurn] as const),
  ),
  ['mix', 4],
];

interface Client {
  readonly name: string;
  run(operation: Operation, key: string): Promise<unknown>;
}

/** The part of memjs that is used here. */
interface Memjs {
  readonly Client: {
    create(servers: string): {
      set(key: string, value: string, options: { expires: number }): Promise<unknown>;
      get(key: string): Promise<unknown>;
      increment(key: string, amount: number, options: object): Promise<unknown>;
      delete(key: string): Promise<unknown>;
      close(): void;
    };
  };
}

interface Figures {
  readonly perSecond: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly systemCalls: number;
}

/** Reads and writes of this process so far; 0 where /proc does not tell. */
function systemCalls(): number {
  try {
    const counts = [...readFileSync('/proc/self/io', 'latin1').matchAll(/^sysc[rw]: (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  } catch {
    return 0;
  }
}

function operationOf(load: Load, index: number): Operation {
  return load === 'mix' ? (MIX[index % MIX.length] ?? 'get') : load;
}

function keyOf(operation: Operation, index: number): string {
  return operation === 'incr' ? 'active' : `call::${index % KEYS}@198.51.100.7`;
}

async function runAll(client: Client, load: Load, { perTurn, count }: { perTurn: number; count: number }) {
  for (let i = 0; i < count; i += perTurn) {
    const turn: Promise<unknown>[] = [];
    for (let k = i; k < i + perTurn; k += 1) {
      const operation = operationOf(load, k);
      // The operations of one mix are about one key, as those of a call.
      turn.push(client.run(operation, keyOf(operation, load === 'mix' ? k >> 2 : k)));
    }
    await Promise.all(turn);
  }
}

async function measure(client: Client, load: Load, perTurn: number): Promise<Figures> {
  const operations = perTurn === 1 ? OPERATIONS_ONE_BY_ONE : OPERATIONS;
  const count = Math.ceil(operations / perTurn) * perTurn;
  await runAll(client, load, { perTurn, count: Math.ceil(count / 10 / perTurn) * perTurn });
  const calls = systemCalls();
  const before = process.cpuUsage();
  const start = performance.now();
  await runAll(client, load, { perTurn, count });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    perSecond: count / seconds,
    userUs: user / count,
    systemUs: system / count,
    systemCalls: (systemCalls() - calls) / count,
  };
}

const server = await startMemcached({ args: ['-m', '64', '-t', '1'] });
const clock = new TimerWheel({
  onError: (error) => {
    throw error;
  },
});
const kamaiki = new CacheClient({
  servers: [{ address: { kind: 'tcp', host: '127.0.0.1', port: server.port }, weight: 1 }],
  expire: EXPIRE_S,
  mode: 0,
  timeoutMs: 1000,
  stringify: false,
  clock,
  log: recordedLog(),
});
await kamaiki.start();
const memcacheClient = new MemcacheClient({ server: server.server, noDelay: true });
const { Client: MemjsClient }: Memjs = memjsLibrary;
const memjs = MemjsClient.create(server.server);
const memcache = new Memcache({ nodes: [server.server], timeout: 5000 });

const clients: readonly Client[] = [
  {
    name: 'kamaiki',
    run(operation, key) {
      if (operation === 'set') return kamaiki.write(key, VALUE);
      if (operation === 'get') return kamaiki.read(key);
      return operation === 'incr' ? kamaiki.increment(key, 1) : kamaiki.remove(key);
    },
  },
  {
    name: 'memcache-client',
    run(operation, key) {
      if (operation === 'set') return memcacheClient.set(key, VALUE, { lifetime: EXPIRE_S });
      if (operation === 'get') return memcacheClient.get(key);
      // It rejects when there is nothing to delete.
      return operation === 'incr'
        ? memcacheClient.incr(key, 1)
        : memcacheClient.delete(key).catch(() => null);
    },
  },
  {
    name: 'memjs',
    run(operation, key) {
      if (operation === 'set') return memjs.set(key, VALUE, { expires: EXPIRE_S });
      if (operation === 'get') return memjs.get(key);
      return operation === 'incr' ? memjs.increment(key, 1, {}) : memjs.delete(key);
    },
  },
  {
    name: 'memcache',
    run(operation, key) {
      if (operation === 'set') return memcache.set(key, VALUE, EXPIRE_S);
      if (operation === 'get') return memcache.get(key);
      return operation === 'incr' ? memcache.incr(key, 1) : memcache.delete(key);
    },
  },
];

for (let i = 0; i < KEYS; i += 1) await kamaiki.write(keyOf('get', i), VALUE);
await kamaiki.write('active', 0);

function line(cells: readonly string[]): string {
  return `${cells.map((cell, index) => (index === 2 ? cell.padEnd(16) : cell.padStart(9))).join(' ')}\n`;
}

process.stdout.write(line(['load', 'per turn', 'client', 'ops/s', 'CPU µs', 'user µs', 'r+w calls']));
for (const [load, perTurn] of LOADS) {
  const best = new Map<string, Figures>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const client of clients) {
      const figures = await measure(client, load, perTurn);
      const known = best.get(client.name);
      const isBetter =
        known === undefined || figures.userUs + figures.systemUs < known.userUs + known.systemUs;
      if (isBetter) best.set(client.name, figures);
    }
  }
  for (const [name, { perSecond, userUs, systemUs, systemCalls: calls }] of best) {
    const figures = [
      perSecond.toFixed(0),
      (userUs + systemUs).toFixed(2),
      userUs.toFixed(2),
      calls.toFixed(3),
    ];
    process.stdout.write(line([load, String(perTurn), name, ...figures]));
  }
}
kamaiki.stop();
memcacheClient.shutdown();
memjs.close();
await memcache.disconnect();
clock.close();
await server.stop();
