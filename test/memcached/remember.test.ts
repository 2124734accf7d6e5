import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LOCAL_VALUES } from '../../modules/memcached/limits/remember.ts';
import { FakeClock } from '../fake-clock.ts';
import { freePort } from '../programs/free-port.ts';
import { eventually, limitsOf, onEachBackend } from './limits-rig.ts';
import { clientOf, rawExchange, realClock } from './rig.ts';

const options = {};

function failing(): never {
  throw new Error('no database');
}
const bounds = {};

onEachBackend(
  'remember: one computation for all who ask at once, in one proxy or several',
  async (t, { address }) => {
    const proxies = [0, 1, 2].map(() => limitsOf(t, clientOf(t, [address])).memory);
    let loads = 0;
    const finish: ((value: string) => void)[] = [];
    const load = (): Promise<string> => {
      loads++;
      return new Promise((resolve) => {
        finish.push(resolve);
      });
    };
    const asking = [...proxies, ...proxies].map((memory) =>
      memory.remember('k', 60, { load, options, bounds }),
    );
    await eventually('computation', () => loads > 0);
    finish[0]?.('computed');
    const outcomes = await Promise.all(asking);
    assert.equal(loads, 1);
    for (const outcome of outcomes) assert.equal(outcome.status !== 'down' && outcome.value, 'computed');
    assert.equal(await rawExchange(address, 'get k lock:k\r\n'), 'VALUE k 1 8\r\ncomputed\r\nEND\r\n');
    assert.deepEqual(await proxies[0]?.remember('k', 60, { load, options, bounds }), {
      status: 'hit',
      value: 'computed',
    });
  },
);

onEachBackend(
  'remember: what the computation throws comes out, and the next one computes',
  async (t, { address }) => {
    const { memory } = limitsOf(t, clientOf(t, [address]));
    await assert.rejects(memory.remember('k', 60, { load: failing, options, bounds }), /no database/);
    assert.deepEqual(await memory.remember('k', 60, { load: () => null, options, bounds }), {
      status: 'loaded',
      value: null,
    });
    assert.deepEqual(await memory.remember('k', 60, { load: () => 5, options, bounds }), {
      status: 'loaded',
      value: 5,
    });
  },
);

onEachBackend(
  'remember: one whose lock holder never ends computes after a bounded wait',
  async (t, { address }) => {
    await rawExchange(address, 'add lock:k 0 60 1\r\n1\r\n');
    const { memory } = limitsOf(t, clientOf(t, [address]), { clock: realClock(t) });
    const outcome = await memory.remember('k', 60, { load: () => 'own', options, bounds });
    assert.deepEqual(outcome, { status: 'loaded', value: 'own' });
  },
);

test('remember: while the store is down so many values are kept, and the oldest make room', async (t) => {
  const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  const clock = new FakeClock();
  const { memory } = limitsOf(t, clientOf(t, [dead], { clock }), { clock });
  for (let i = 0; i <= MAX_LOCAL_VALUES; i++) {
    await memory.remember(`k${i}`, 60, { load: () => i, options, bounds });
  }
  const ask = (i: number): Promise<unknown> =>
    memory.remember(`k${i}`, 60, { load: () => 'again', options, bounds });
  assert.deepEqual(await ask(MAX_LOCAL_VALUES), { status: 'hit', value: MAX_LOCAL_VALUES });
  assert.deepEqual(await ask(0), { status: 'loaded', value: 'again' });
});

test('remember: while the store is down the policy decides', async (t) => {
  const dead = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  const clock = new FakeClock();
  const { memory } = limitsOf(t, clientOf(t, [dead], { clock }), { clock });
  let loads = 0;
  const load = (): number => ++loads;
  const ask = (onDown: 'open' | 'closed' | 'local'): Promise<unknown> =>
    memory.remember('k', 60, { load, options: { onDown }, bounds });
  assert.deepEqual(await ask('open'), { status: 'loaded', value: 1 });
  assert.deepEqual(await ask('open'), { status: 'loaded', value: 2 });
  assert.match(JSON.stringify(await ask('closed')), /down/);
  assert.deepEqual(await ask('local'), { status: 'loaded', value: 3 });
  assert.deepEqual(await ask('local'), { status: 'hit', value: 3 });
  clock.advance(60_000);
  assert.deepEqual(await ask('local'), { status: 'loaded', value: 4 });
});
