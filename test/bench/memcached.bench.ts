/**
 * CPU of this process per memcached operation, the module's client against plain memcache-client, on one memcached.
 *
 *     node dist/test/bench/memcached.bench.js
 */
import { MemcacheClient } from 'memcache-client';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { CacheClient } from '../../modules/memcached/client.ts';
import { startMemcached } from '../programs/memcached.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const OPERATIONS = 40_000;
/** Rounds of each contender, in turns; the best counts. */
const ROUNDS = 5;
const VALUE = '198.51.100.7';

interface Contender {
  readonly name: string;
  /** One operation of the kind numbered. */
  run(operation: number): Promise<unknown>;
}

/** Runs `perTurn` operations at a time, and waits for all of them. Returns µs of CPU per operation, user and system. */
async function measure(
  contender: Contender,
  perTurn: number,
): Promise<readonly [user: number, system: number]> {
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += perTurn) {
      const turn: Promise<unknown>[] = [];
      for (let k = 0; k < perTurn; k += 1) turn.push(contender.run(i + k));
      await Promise.all(turn);
    }
  };
  await round(OPERATIONS / 10);
  const before = process.cpuUsage();
  await round(OPERATIONS);
  const used = process.cpuUsage(before);
  return [used.user / OPERATIONS, used.system / OPERATIONS];
}

const server = await startMemcached({ args: ['-m', '64', '-t', '1'] });
const clock = new TimerWheel({
  onError: (error) => {
    throw error;
  },
});
const ours = new CacheClient({
  servers: [{ address: { kind: 'tcp', host: '127.0.0.1', port: server.port }, weight: 1 }],
  expire: 100,
  mode: 0,
  timeoutMs: 1000,
  stringify: false,
  clock,
  log: recordedLog(),
});
await ours.start();
const plain = new MemcacheClient({ server: server.server, noDelay: true });

const contenders: readonly Contender[] = [
  {
    name: 'kamaiki',
    run(operation) {
      const key = `call::${operation % 1000}@198.51.100.7`;
      switch (operation % 4) {
        case 0:
          return ours.write(key, VALUE);
        case 1:
          return ours.count('active').add(1);
        case 2:
          return ours.read(key);
        default:
          return ours.remove(key);
      }
    },
  },
  {
    name: 'memcache-client',
    run(operation) {
      const key = `call::${operation % 1000}@198.51.100.7`;
      switch (operation % 4) {
        case 0:
          return plain.set(key, VALUE, { lifetime: 100 });
        case 1:
          return plain.incr('active', 1);
        case 2:
          return plain.get(key);
        default:
          return plain.delete(key).catch(() => null);
      }
    },
  },
];

for (const contender of contenders) await measure(contender, 10);
for (const perTurn of [1, 10, 100]) {
  const best = contenders.map(() => [Number.POSITIVE_INFINITY, 0] as readonly [number, number]);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const used = await measure(contender, perTurn);
      const [user, system] = best[index] ?? used;
      if (used[0] + used[1] < user + system) best[index] = used;
    }
  }
  for (const [index, [user, system]] of best.entries()) {
    process.stdout.write(
      `${String(perTurn).padStart(3)} per turn, ${contenders[index]?.name}: ${(user + system).toFixed(1)} µs of CPU per operation, ${user.toFixed(1)} of it in user mode\n`,
    );
  }
}
ours.stop();
plain.shutdown();
clock.close();
await server.stop();
