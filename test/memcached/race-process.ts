import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { CacheClient } from '../../modules/memcached/client.ts';
import { Limits } from '../../modules/memcached/limits/limits.ts';
import { recordedLog } from '../transport/recorded-log.ts';

// A process of its own that tests start, to race against others:
//   race-process.js PORT count COUNTERS TIMES   counts TIMES into COUNTERS counters, round about, and prints how many were done
//   race-process.js PORT calls NAME MAX TTL     makes short calls on one limit until SIGTERM; prints `+ TIME id ASKED` and `- TIME id`, ns of the system's clock

/** Operations under way at a time. */
const CONCURRENT = 200;
/** Length of a call, ms. */
const CALL_MS = 20;
/** Callers that call all the time. */
const CALLERS = 15;

const [port = '', task = '', ...args] = process.argv.slice(2);
const clock = new TimerWheel({
  onError: (error) => {
    throw error;
  },
});
const client = new CacheClient({
  servers: [{ address: { kind: 'tcp', host: '127.0.0.1', port: Number(port) }, weight: 1 }],
  expire: 0,
  mode: 0,
  timeoutMs: task === 'count' ? 20_000 : 250,
  journal: 10_000,
  stringify: false,
  clock,
  log: recordedLog(),
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function count(counters: number, times: number): Promise<void> {
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < times) {
      const key = `race:${next++ % counters}`;
      const outcome = await client.count(key).add(1);
      if (outcome.status === 'done') done++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  say(String(done));
}

async function calls(name: string, max: number, ttl: number): Promise<void> {
  const { leases } = new Limits({
    client,
    clock,
    randomToken: (length) => randomBytes(length).toString('hex').slice(0, length),
    log: recordedLog(),
  });
  const ended = new AbortController();
  process.once('SIGTERM', () => ended.abort());
  let made = 0;
  const caller = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const id = `${name}-${made++}`;
      const askedAt = process.hrtime.bigint();
      // A retransmission and a second fork ask for the same call at the same time.
      const asked = await Promise.all(
        [1, 2, 3].map(() => leases.acquire('race', { max, ttl, id, onDown: 'closed' }, {})),
      );
      if (asked.some(({ status }) => status === 'acquired')) {
        say(`+ ${process.hrtime.bigint()} ${id} ${askedAt}`);
        await delay(CALL_MS);
        say(`- ${process.hrtime.bigint()} ${id}`);
        await Promise.all([leases.release('race', id, {}), leases.release('race', id, {})]);
      } else await delay(5);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

await client.start();
if (task === 'count') await count(Number(args[0]), Number(args[1]));
else await calls(args[0] ?? '', Number(args[1]), Number(args[2]));
client.stop();
clock.close();
