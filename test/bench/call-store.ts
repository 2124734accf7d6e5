import { once } from 'node:events';
import { connect } from 'node:net';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { type DelayRelay, startDelayRelay } from './delay-relay.ts';

/** The counter of active calls in the benchmark's routes. */
const COUNTER = 'active';
/** How long memcached may take to answer, ms. */
const ANSWER_MS = 5_000;

/** What calls have left behind in memcached; all should be 0. */
export interface Leftovers {
  /** Calls that are still cached. */
  readonly keys: number;
  /** Calls that still count as active. */
  readonly active: number;
}

/** Sends one command of memcached's text protocol and returns the answer, which ends with `end`. */
async function ask(port: number, command: string, end: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket
      .setEncoding('latin1')
      .setTimeout(ANSWER_MS, () => socket.destroy(new Error('memcached is silent')));
    socket.write(`${command}\r\n`);
    let answer = '';
    while (!answer.endsWith(end)) {
      const [text]: unknown[] = await once(socket, 'data');
      answer += String(text);
    }
    return answer;
  } finally {
    socket.destroy();
  }
}

/** The memcached of a run. */
export class CallStore {
  /** `host:port` for the proxy: memcached itself, or a relay that delays. */
  readonly server: string;
  readonly #memcached: Memcached;
  readonly #relay: DelayRelay | null;
  readonly #initialKeys: number;

  private constructor(memcached: Memcached, relay: DelayRelay | null, initialKeys: number) {
    this.#memcached = memcached;
    this.#relay = relay;
    this.#initialKeys = initialKeys;
    this.server = relay === null ? memcached.server : `127.0.0.1:${relay.port}`;
  }

  /** Starts memcached with the counter at 0, `delayMs` away in each direction. */
  static async start(delayMs: number): Promise<CallStore> {
    const memcached = await startMemcached({ args: ['-m', '256', '-t', '1'] });
    await ask(memcached.port, `set ${COUNTER} 0 0 1\r\n0`, 'STORED\r\n');
    const relay = delayMs > 0 ? await startDelayRelay(memcached.port, delayMs) : null;
    return new CallStore(memcached, relay, await countKeys(memcached.port));
  }

  async leftovers(): Promise<Leftovers> {
    const { port } = this.#memcached;
    const counter = await ask(port, `get ${COUNTER}`, 'END\r\n');
    return {
      keys: (await countKeys(port)) - this.#initialKeys,
      active: Number(/\r\n(\d+)/.exec(counter)?.[1]),
    };
  }

  async stop(): Promise<void> {
    this.#relay?.close();
    await this.#memcached.stop();
  }
}

async function countKeys(port: number): Promise<number> {
  const statistics = await ask(port, 'stats', 'END\r\n');
  return Number(/STAT curr_items (\d+)/.exec(statistics)?.[1]);
}
