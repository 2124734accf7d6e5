import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { assertDown, assertRecovers, rigOf, TIMEOUT_MS } from './fault-rig.ts';

/** Faults of a server that answers a read of `k`; after each the connection is a new one. */
const BROKEN_ANSWERS: readonly (readonly [what: string, answer: string, reason: RegExp])[] = [
  ['garbage', 'what is this\r\n', /unexpected reply to get: "what is this"/],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /unexpected reply/],
  ['an empty line', '\r\n', /empty line/],
  ['ERROR', 'ERROR\r\n', /unexpected reply to get: "ERROR"/],
  ['a reply to another command', 'STORED\r\n', /unexpected reply to get: "STORED"/],
  ['a number', '5\r\n', /unexpected reply to get: "5"/],
  ['the value of another key', 'VALUE other 1 5\r\nwrong\r\nEND\r\n', /not asked for/],
  ['the value of a longer key', 'VALUE kk 1 5\r\nwrong\r\nEND\r\n', /not asked for/],
  ['a value twice', 'VALUE k 1 1\r\na\r\nVALUE k 1 1\r\nb\r\nEND\r\n', /not asked for/],
  ['a value without length', 'VALUE k 1\r\n', /without a proper length/],
  ['a negative length', 'VALUE k 1 -1\r\n', /without a proper length/],
  ['a length that is no number', 'VALUE k 1 x\r\n', /without a proper length/],
  ['an absurd length', 'VALUE k 1 9999999999\r\n', /without a proper length/],
  ['a value longer than its length', 'VALUE k 1 1\r\nabc\r\nEND\r\n', /does not end where it should/],
  ['a CLIENT_ERROR', 'CLIENT_ERROR bad data chunk\r\n', /unexpected reply/],
  ['names of object members', '__proto__\r\n', /unexpected reply/],
  ['a line without end', 'x'.repeat(100_000), /too big/],
];

for (const [what, answer, reason] of BROKEN_ANSWERS) {
  test(`faults: ${what} is no value, and the next read gets its own`, async (t) => {
    const rig = await rigOf(t);
    const reading = rig.client.read('k');
    await rig.server.received('get k\r\n');
    rig.server.write(answer);
    assertDown(await reading, reason);
    await assertRecovers(rig);
    assert.equal(rig.server.connections, 2);
  });
}

test('faults: an answer cut off in its middle fails the read', async (t) => {
  for (const part of [
    'V',
    'VALUE k 1 4\r\n',
    'VALUE k 1 4\r\nab',
    'VALUE k 1 4\r\nabcd',
    'VALUE k 1 4\r\nabcd\r\n',
  ]) {
    const rig = await rigOf(t);
    const reading = rig.client.read('k');
    await rig.server.received('get k\r\n');
    rig.server.close(part);
    assertDown(await reading, /socket end/);
    await assertRecovers(rig);
  }
});

test('faults: a connection reset in mid-reply fails all that waits, and gives no value to another', async (t) => {
  const rig = await rigOf(t);
  const reading = Promise.all(['a', 'b', 'c'].map((key) => rig.client.read(key)));
  await rig.server.received('get a b c\r\n');
  rig.server.write('VALUE a 1 1\r\n1\r\nVALUE b 1 5\r\nha');
  rig.server.reset();
  for (const outcome of await reading) assert.equal(outcome.status, 'down');
  await assertRecovers(rig);
});

test('faults: answers in the wrong order reach nobody', async (t) => {
  const rig = await rigOf(t);
  const first = rig.client.read('a');
  await rig.server.received('get a\r\n');
  const reading = Promise.all([first, rig.client.read('b')]);
  await rig.server.received('get b\r\n');
  rig.server.write('VALUE b 1 1\r\n2\r\nEND\r\nVALUE a 1 1\r\n1\r\nEND\r\n');
  for (const outcome of await reading) assertDown(outcome, /not asked for/);
  await assertRecovers(rig);
});

test('faults: a reply that nobody asked for ends the connection, and the next read gets its own', async (t) => {
  const { client, server } = await rigOf(t);
  const first = client.read('k');
  await server.received('get k\r\n');
  server.write('END\r\nVALUE k 1 5\r\nstray\r\nEND\r\n');
  assert.deepEqual(await first, { status: 'miss' });
  await server.ended(1);
  const next = client.read('k');
  await server.received('get k\r\n');
  server.write('VALUE k 1 3\r\nown\r\nEND\r\n');
  assert.deepEqual(await next, { status: 'hit', value: 'own' });
});

test('faults: no answer at all: down when the timeout has passed, not before', async (t) => {
  const rig = await rigOf(t);
  let settled = false;
  const reading = rig.client.read('k').finally(() => {
    settled = true;
  });
  await rig.server.received('get k\r\n');
  rig.clock.advance(TIMEOUT_MS - 1);
  await turn();
  await turn();
  assert.equal(settled, false);
  rig.clock.advance(1);
  assertDown(await reading, /no answer within the timeout/);
  assert.equal(Object.values(rig.client.statistics())[0]?.get.timeouts, 1);
  await assertRecovers(rig);
});

test('faults: a trickle of bytes does not extend the timeout', async (t) => {
  const rig = await rigOf(t);
  const reading = rig.client.read('k');
  await rig.server.received('get k\r\n');
  for (const [index, char] of Array.from('VALUE k').entries()) {
    rig.server.write(char);
    rig.clock.advance(index === 6 ? TIMEOUT_MS - 60 : 10);
    await turn();
  }
  assertDown(await reading, /no answer within the timeout/);
  await assertRecovers(rig);
});

test('faults: an answer that is there when the timeout is noticed late is taken', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const reading = client.read('k');
  await server.received('get k\r\n');
  // As when the process was held up: both the answer and the end of the timeout stand before the next look at sockets.
  setTimeout(() => {
    server.write('VALUE k 1 2\r\nok\r\nEND\r\n');
    clock.advance(TIMEOUT_MS);
  }, 0);
  assert.deepEqual(await reading, { status: 'hit', value: 'ok' });
});

test('faults: connecting counts towards the timeout', async (t) => {
  const { client, clock } = await rigOf(t);
  const reading = client.read('k');
  // Before the connection can be there.
  clock.advance(TIMEOUT_MS);
  assertDown(await reading, /no (connection|answer) within the timeout/);
});

test('faults: all that waits fails with the first that times out, and each by its own deadline at the latest', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const first = client.read('a');
  await server.received('get a\r\n');
  clock.advance(100);
  const second = client.read('b');
  await server.received('get b\r\n');
  clock.advance(TIMEOUT_MS - 100);
  assertDown(await first, /no answer/);
  assertDown(await second, /no answer/);
});

test('faults: a count and its add share one deadline', async (t) => {
  const { server, client, clock } = await rigOf(t);
  const counting = client.count('c').add(1);
  await server.received('incr c 1\r\n');
  clock.advance(200);
  server.write('NOT_FOUND\r\n');
  await server.received('add c 0 100 1\r\n1\r\n');
  clock.advance(TIMEOUT_MS - 200);
  assert.equal((await counting).status, 'down');
});

test('faults: a counter that comes and goes each time ends the rounds of count', async (t) => {
  const { server, client } = await rigOf(t);
  const counting = client.count('c').add(1);
  for (let round = 0; round < 3; round++) {
    await server.received('incr c 1\r\n');
    server.write('NOT_FOUND\r\n');
    await server.received('add c');
    server.write('NOT_STORED\r\n');
  }
  assert.match(JSON.stringify(await counting), /down.*removed each time/);
});
