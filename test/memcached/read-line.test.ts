import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_KEYS_PER_LINE, MAX_LINE_BYTES } from '../../modules/memcached/read-line.ts';
import type { ReadOutcome } from '../../modules/memcached/outcome.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { assertDown, assertRecovers, rigOf, TIMEOUT_MS } from './fault-rig.ts';
import { FakeServer } from './fake-server.ts';
import { onEachBackend } from './limits-rig.ts';
import { clientOf } from './rig.ts';

/** What reads came to: values, null for a miss, a reason. */
function told(outcomes: readonly ReadOutcome[]): unknown[] {
  return outcomes.map((outcome) =>
    outcome.status === 'hit' ? outcome.value : outcome.status === 'miss' ? null : outcome.reason,
  );
}

test('read-line: reads of one turn are one line, and those whose key is not in the answer are misses', async (t) => {
  const { client, server } = await rigOf(t);
  const reading = Promise.all(['a', 'b', 'c', 'd'].map((key) => client.read(key)));
  await server.received('get a b c d\r\n');
  server.write('VALUE b 1 2\r\nbb\r\nVALUE d 0 1\r\n4\r\nEND\r\n');
  assert.deepEqual(told(await reading), [null, 'bb', null, 4]);
  assert.equal(server.chunks.length, 1);
});

test('read-line: a key that is asked for several times in one turn goes out once, and all get its value', async (t) => {
  const { client, server } = await rigOf(t);
  const reading = Promise.all(['a', 'b', 'a', 'a', 'c', 'b'].map((key) => client.read(key)));
  await server.received('get a b c\r\n');
  server.write('VALUE a 1 1\r\nA\r\nVALUE c 1 1\r\nC\r\nEND\r\n');
  assert.deepEqual(told(await reading), ['A', null, 'A', 'A', 'C', null]);
});

test('read-line: reads of two turns are two lines', async (t) => {
  const { client, server } = await rigOf(t);
  const first = client.read('a');
  await server.received('get a\r\n');
  const second = client.read('a');
  await server.received('get a\r\n');
  server.write('VALUE a 1 1\r\n1\r\nEND\r\nVALUE a 1 1\r\n2\r\nEND\r\n');
  assert.deepEqual(told([await first, await second]), ['1', '2']);
});

test('read-line: a read behind a write of its key does not overtake it; one of another key may', async (t) => {
  const { client, server } = await rigOf(t);
  const before = client.read('k');
  const writing = client.write('k', 'new');
  const other = client.read('other');
  const after = client.read('k');
  const late = client.read('late');
  await server.received('get k other\r\nset k 1 100 3\r\nnew\r\nget k late\r\n');
  server.write('VALUE k 1 3\r\nold\r\nEND\r\nSTORED\r\nVALUE k 1 3\r\nnew\r\nVALUE late 1 1\r\nl\r\nEND\r\n');
  assert.deepEqual(await writing, { status: 'stored' });
  assert.deepEqual(told(await Promise.all([before, other, after, late])), ['old', null, 'new', 'l']);
});

onEachBackend(
  'read-line: reads and changes of one key in one turn give what they give one after the other',
  async (t, { address }) => {
    const client = clientOf(t, [address]);
    await client.start();
    const outcomes = await Promise.all([
      client.read('k'),
      client.write('k', 1),
      client.read('k'),
      client.read('k'),
      client.increment('k', 4),
      client.read('k'),
      client.decrement('k', 2),
      client.touch('k', 60),
      client.read('k'),
      client.remove('k'),
      client.read('k'),
      client.read('missing'),
    ]);
    const values = outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome.status));
    assert.deepEqual(values, ['miss', 'stored', 1, 1, 5, 5, 3, 'touched', 3, 'removed', 'miss', 'miss']);
  },
);

onEachBackend(
  'read-line: many keys, some of them missing: each read gets its own',
  async (t, { address }) => {
    const client = clientOf(t, [address]);
    const keys = Array.from({ length: 3 * MAX_KEYS_PER_LINE + 7 }, (_, i) => `${i}:${'k'.repeat(i % 90)}`);
    await Promise.all(
      keys.filter((_, i) => i % 3 > 0).map((key) => client.write(key, `v ${key}\r\nEND\r\n`)),
    );
    const read = await Promise.all([...keys, ...keys.toReversed()].map((key) => client.read(key)));
    const expected = keys.map((key, i) => (i % 3 > 0 ? `v ${key}\r\nEND\r\n` : null));
    assert.deepEqual(told(read), [...expected, ...expected.toReversed()]);
  },
);

onEachBackend(
  'read-line: gets of one turn are one line, each with its own number for cas',
  async (t, { address }) => {
    const client = clientOf(t, [address]);
    await Promise.all([client.write('a', 'x'), client.write('b', 'y')]);
    const [server] = client.servers;
    const gets = (key: string) => server?.execute('gets', key, `gets ${key}\r\n`, server.deadlineMs());
    const replies = await Promise.all([gets('a'), gets('b'), gets('nope'), client.read('a')]);
    const numbers = replies.map((reply) => (reply !== undefined && 'cas' in reply ? reply.cas : null));
    const [a, b, nope, plain] = numbers;
    assert.equal(Number(b) - Number(a), 1);
    assert.deepEqual([nope, plain], [null, null]);
  },
);

test('read-line: one key more than a line may ask for begins another', async (t) => {
  const { client, server } = await rigOf(t);
  const reading = Promise.all(Array.from({ length: MAX_KEYS_PER_LINE + 1 }, (_, i) => client.read(`k${i}`)));
  await server.received(`k${MAX_KEYS_PER_LINE - 1}\r\nget k${MAX_KEYS_PER_LINE}\r\n`);
  server.write('END\r\nEND\r\n');
  assert.equal((await reading).length, MAX_KEYS_PER_LINE + 1);
});

test('read-line: a line does not grow beyond its bytes', async (t) => {
  const { client, server } = await rigOf(t);
  const keys = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(2, '0')}${'k'.repeat(200)}`);
  const reading = Promise.all(keys.map((key) => client.read(key)));
  await server.received(`${keys.at(-1)}\r\n`);
  const lines = server.chunks.join('').split('\r\n').slice(0, -1);
  assert.deepEqual(
    lines.flatMap((line) => line.split(' ').slice(1)),
    keys,
  );
  for (const line of lines) assert.ok(line.length + 2 <= MAX_LINE_BYTES, String(line.length));
  assert.equal(lines.length, 2);
  server.write('END\r\n'.repeat(lines.length));
  await reading;
});

test('read-line: an answer in another order than asked for reaches the right reads', async (t) => {
  const { client, server } = await rigOf(t);
  const reading = Promise.all(['a', 'b', 'c'].map((key) => client.read(key)));
  await server.received('get a b c\r\n');
  server.write('VALUE c 1 1\r\nC\r\nVALUE a 1 1\r\nA\r\nEND\r\n');
  assert.deepEqual(told(await reading), ['A', null, 'C']);
});

test('read-line: an answer that comes byte by byte is read all the same', async (t) => {
  const { client, server } = await rigOf(t);
  const values = ['', '\r', '\r\n', 'END\r\n', 'x'.repeat(30)];
  const reading = Promise.all(values.map((_, i) => client.read(`k${i}`)));
  await server.received('get k0 k1 k2 k3 k4\r\n');
  const answer = values.map((value, i) => `VALUE k${i} 1 ${value.length}\r\n${value}\r\n`).join('');
  for (const byte of `${answer}END\r\n`) {
    server.write(byte);
    await new Promise((resolve) => void setTimeout(resolve, 0));
  }
  assert.deepEqual(told(await reading), values);
});

/** Answers to `get a b` that do not fit; all reads of the line fail, and the connection ends. */
const BROKEN_ANSWERS: readonly (readonly [what: string, answer: string, reason: RegExp])[] = [
  [
    'a value of a key that was not asked for',
    'VALUE a 1 1\r\nA\r\nVALUE c 1 1\r\nC\r\nEND\r\n',
    /not asked for/,
  ],
  ['a value twice', 'VALUE a 1 1\r\nA\r\nVALUE a 1 1\r\nA\r\nEND\r\n', /not asked for/],
  [
    'the first value again behind the second',
    'VALUE a 1 1\r\nA\r\nVALUE b 1 1\r\nB\r\nVALUE a 1 1\r\nA\r\nEND\r\n',
    /not asked for/,
  ],
  ['both keys as one', 'VALUE a b 1 1\r\nA\r\nEND\r\n', /without a proper length/],
  [
    'a word between the values',
    'VALUE a 1 1\r\nA\r\nSTORED\r\nVALUE b 1 1\r\nB\r\nEND\r\n',
    /unexpected reply/,
  ],
  ['a value with a number for cas', 'VALUE a 1 1 7\r\nA\r\nEND\r\n', /number for cas/],
  ['a value longer than it says', 'VALUE a 1 1\r\nAA\r\nEND\r\n', /does not end/],
];
for (const [what, answer, reason] of BROKEN_ANSWERS) {
  test(`read-line: ${what} fails all reads of the line`, async (t) => {
    const rig = await rigOf(t);
    const reading = Promise.all([rig.client.read('a'), rig.client.read('b'), rig.client.read('a')]);
    await rig.server.received('get a b\r\n');
    rig.server.write(answer);
    for (const outcome of await reading) assertDown(outcome, reason);
    await assertRecovers(rig);
  });
}

test('read-line: an error instead of the end fails all reads of the line, and the connection stays', async (t) => {
  const { client, server } = await rigOf(t);
  const reading = Promise.all([client.read('a'), client.read('b')]);
  await server.received('get a b\r\n');
  server.write('VALUE a 1 1\r\nA\r\nSERVER_ERROR out of memory writing get response\r\n');
  for (const outcome of await reading) assertDown(outcome, /out of memory/);
  const next = client.read('c');
  await server.received('get c\r\n');
  server.write('VALUE c 1 1\r\nC\r\nEND\r\n');
  assert.deepEqual(told([await next]), ['C']);
  assert.equal(server.connections, 1);
});

test('read-line: one of two readers of a key that gives up leaves the other its value', async (t) => {
  const { client, server } = await rigOf(t);
  const abort = new AbortController();
  const [first, second, third] = [
    client.read('k', { signal: abort.signal }),
    client.read('k'),
    client.read('other', { signal: abort.signal }),
  ];
  await server.received('get k other\r\n');
  abort.abort();
  assertDown(await first, /aborted/);
  assertDown(await third, /aborted/);
  server.write('VALUE k 1 1\r\nv\r\nVALUE other 1 1\r\no\r\nEND\r\n');
  assert.deepEqual(await second, { status: 'hit', value: 'v' });
});

test('read-line: a read that joined is down by its own deadline, though the first has more time', async (t) => {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const client = clientOf(t, [server.address], { clock, timeoutMs: TIMEOUT_MS });
  const [own] = client.servers;
  assert.ok(own !== undefined);
  const dueMs = clock.now() + TIMEOUT_MS;
  const reads = ['a', 'b', 'a'].map((key, i) =>
    own.execute('get', key, `get ${key}\r\n`, dueMs + 1000 * (1 - i)),
  );
  await server.received('get a b\r\n');
  clock.advance(TIMEOUT_MS);
  for (const reply of await Promise.all(reads)) assert.equal(reply.kind, 'down');
});

test('read-line: what has joined an unsent line has not been sent when the connection ends', async (t) => {
  const { client, server } = await rigOf(t);
  const first = client.read('a');
  await server.received('get a\r\n');
  const [own] = client.servers;
  assert.ok(own !== undefined);
  const unsent = ['b', 'c', 'b'].map((key) => own.execute('get', key, `get ${key}\r\n`, own.deadlineMs()));
  client.stop();
  assertDown(await first, /stopped/);
  for (const reply of await Promise.all(unsent)) assert.equal(reply.kind === 'down' && reply.sent, false);
});

/** One step of a handler: what it asks for, of which key. */
type Step = readonly ['read' | 'write' | 'increment' | 'remove', key: string, n: number];

/** What steps come to when each waits for the one before. */
function oneByOne(steps: readonly Step[]): unknown[] {
  const values = new Map<string, number>();
  return steps.map(([what, key, n]) => {
    const value = values.get(key);
    if (what === 'read') return value ?? 'miss';
    if (what === 'write') values.set(key, n);
    if (what === 'remove') values.delete(key);
    if (what === 'increment' && value !== undefined) values.set(key, value + n);
    if (what === 'increment') return values.get(key) ?? 'missing';
    return what === 'write' ? 'stored' : value === undefined ? 'missing' : 'removed';
  });
}

onEachBackend('read-line: any steps of one turn come to what they do one by one', async (t, { address }) => {
  const client = clientOf(t, [address]);
  const anyStep: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('read', 'read', 'read', 'write', 'increment', 'remove'),
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.nat(1000),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => client.remove(key)));
      const outcomes = await Promise.all(
        steps.map(([what, key, n]) =>
          what === 'write' || what === 'increment' ? client[what](key, n) : client[what](key),
        ),
      );
      const values = outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome.status));
      assert.deepEqual(values, oneByOne(steps));
    }),
  );
});
