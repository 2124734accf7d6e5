import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LOCAL_VALUES } from '../../modules/memcached/limits/remember.ts';
import { Budget } from '../../modules/memcached/patience.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { freePort } from '../programs/free-port.ts';
import { type Rig, rigOf } from './fault-rig.ts';
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

type Memory = ReturnType<typeof limitsOf>['memory'];
type Asking = ReturnType<Memory['remember']>;

/** Two ask for one key that is not there: the first with `bounds`, the second without. */
async function twoAsk(
  { server, client }: Rig,
  memory: Memory,
  { first, lock }: { readonly first: () => Asking; readonly lock: 'STORED' | 'NOT_STORED' },
): Promise<readonly [Asking, Asking]> {
  const one = first();
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('add lock:k 0 10 1\r\n1\r\n');
  const two = memory.remember('k', 90, { load: () => 'two', options, bounds });
  await server.received('get k\r\n');
  server.write(`${lock}\r\nEND\r\n`);
  if (lock === 'STORED') {
    // Whether someone has computed it before the lock.
    await server.received('get k\r\n');
    server.write('END\r\n');
  }
  // Answered after the others, so that these have been read.
  const reading = client.read('other');
  await server.received('get other\r\n');
  server.write('END\r\n');
  await reading;
  return [one, two];
}

test('remember: an abort ends the wait of its own caller alone, and the next one computes', async (t) => {
  const rig = await rigOf(t);
  const { server, client, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const abort = new AbortController();
  const first = (): Asking =>
    memory.remember('k', 60, { load: () => 'one', options, bounds: { signal: abort.signal } });
  const [one, two] = await twoAsk(rig, memory, { first, lock: 'NOT_STORED' });
  abort.abort();
  assert.deepEqual(await one, { status: 'down', reason: 'aborted' });
  clock.advance(10);
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('add lock:k ');
  server.write('STORED\r\n');
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('set k 1 90 3\r\ntwo\r\n');
  server.write('STORED\r\n');
  assert.deepEqual(await two, { status: 'loaded', value: 'two' });
});

test('remember: a computation that fails after its caller has gone does not fail the others', async (t) => {
  const rig = await rigOf(t);
  const { server, client, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const abort = new AbortController();
  const { signal } = abort;
  const load = (): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))));
  const first = (): Asking => memory.remember('k', 60, { load, options, bounds: { signal } });
  const [one, two] = await twoAsk(rig, memory, { first, lock: 'STORED' });
  abort.abort();
  assert.deepEqual(await one, { status: 'down', reason: 'aborted' });
  await server.received('set k 1 90 3\r\ntwo\r\n');
  server.write('STORED\r\n');
  assert.deepEqual(await two, { status: 'loaded', value: 'two' });
});

test('remember: when no one waits any more nothing is computed', async (t) => {
  const rig = await rigOf(t);
  const { server, client, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const abort = new AbortController();
  const asking = memory.remember('k', 60, { load: failing, options, bounds: { signal: abort.signal } });
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('add lock:k ');
  abort.abort();
  assert.deepEqual(await asking, { status: 'down', reason: 'aborted' });
  server.write('STORED\r\n');
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('delete lock:k\r\n');
});

test('remember: the first budget that is used up while another proxy computes ends the wait for it', async (t) => {
  const rig = await rigOf(t);
  const { server, client, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const budget = new Budget(clock, 5);
  const first = (): Asking => memory.remember('k', 60, { load: () => 'one', options, bounds: { budget } });
  const [one, two] = await twoAsk(rig, memory, { first, lock: 'NOT_STORED' });
  clock.advance(10);
  await server.received('get k\r\n');
  server.write('END\r\n');
  await server.received('add lock:k ');
  server.write('NOT_STORED\r\n');
  await server.received('set k 1 60 3\r\none\r\n');
  server.write('STORED\r\n');
  for (const asking of [one, two]) assert.deepEqual(await asking, { status: 'loaded', value: 'one' });
  assert.equal(budget.leftMs, 0);
});

test('remember: a budget is not spent on what is computed here', async (t) => {
  const rig = await rigOf(t);
  const { client, server, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const budget = new Budget(clock, 100);
  const finish: ((value: string) => void)[] = [];
  const load = (): Promise<string> =>
    new Promise((resolve) => {
      finish.push(resolve);
    });
  const first = (): Asking => memory.remember('k', 60, { load, options, bounds: { budget } });
  const [one, two] = await twoAsk(rig, memory, { first, lock: 'STORED' });
  clock.advance(5000);
  assert.equal(budget.leftMs, 100);
  finish[0]?.('late');
  await server.received('set k 1 60 4\r\nlate\r\n');
  server.write('STORED\r\n');
  for (const asking of [one, two]) assert.deepEqual(await asking, { status: 'loaded', value: 'late' });
});

test('remember: when the store fails meanwhile the policy of each decides', async (t) => {
  const rig = await rigOf(t);
  const { server, client, clock } = rig;
  const { memory } = limitsOf(t, client, { clock });
  const first = (): Asking =>
    memory.remember('k', 60, { load: () => 'one', options: { onDown: 'closed' }, bounds });
  const [one, two] = await twoAsk(rig, memory, { first, lock: 'NOT_STORED' });
  clock.advance(10);
  await server.received('get k\r\n');
  server.reset();
  assert.equal((await one).status, 'down');
  assert.deepEqual(await two, { status: 'loaded', value: 'two' });
});
