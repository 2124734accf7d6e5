import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerTransaction } from '../../../modules/tm/server-transaction.ts';
import type { Timing } from '../../../modules/tm/timing.ts';
import { Waits } from '../../../modules/tm/wait-queue.ts';
import { FakeClock } from '../../../core/testing/fake-clock.ts';

const timing: Timing = {
  t1Ms: 500,
  t2Ms: 4_000,
  responseMs: 32_000,
  finalMs: 185_000,
  waitMs: 32_000,
  inviteLifetimeMs: 3_600_000,
  otherLifetimeMs: 32_000,
};

function setUp(invite: boolean, reliable = false) {
  const clock = new FakeClock();
  const sent: { at: number; text: string }[] = [];
  const events: string[] = [];
  const start = clock.now();
  let resent = 0;
  const server = new ServerTransaction(
    {
      environment: { clock, timing, waits: new Waits(clock) },
      resending: () => void (resent += 1),
      transmit: (reply) => sent.push({ at: clock.now() - start, text: reply.toString() }),
      acknowledgementMissing: () => events.push(`no ACK at ${clock.now() - start}`),
      serverEnded: () => events.push(`ended at ${clock.now() - start}`),
    },
    { invite, reliable },
  );
  return { clock, sent, events, server, resent: () => resent };
}
const reply = (text: string) => Buffer.from(text);

test('INVITE server: resends a failure at T1, 2*T1 and so on up to T2, and gives up at 64*T1 (timers G, H)', () => {
  const { clock, sent, events, server, resent } = setUp(true);
  server.reply(486, reply('486'));
  clock.advance(40_000);
  const times = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
  assert.deepEqual(
    sent,
    times.map((at) => ({ at, text: '486' })),
  );
  assert.equal(resent(), times.length - 1);
  assert.deepEqual(events, ['no ACK at 32000', 'ended at 32000']);
});

test('INVITE server: an ACK stops the retransmissions; more ACKs are absorbed for T4 (timer I)', () => {
  const { clock, sent, events, server } = setUp(true);
  server.reply(486, reply('486'));
  clock.advance(600);
  server.acknowledged();
  clock.advance(4_000);
  server.acknowledged();
  server.retransmitted();
  clock.advance(10_000);
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0, 500],
  );
  assert.deepEqual(events, ['ended at 5600']);
});

test('INVITE server: over TCP nothing is resent and the ACK ends it at once', () => {
  const { clock, sent, events, server } = setUp(true, true);
  server.reply(486, reply('486'));
  clock.advance(10_000);
  server.acknowledged();
  clock.advance(1);
  assert.equal(sent.length, 1);
  assert.deepEqual(events, ['ended at 10000']);
});

test('INVITE server: a retransmission in Proceeding gets the last provisional reply again', () => {
  const { sent, server } = setUp(true);
  server.retransmitted();
  server.reply(100, reply('100'));
  server.reply(180, reply('180'));
  server.retransmitted();
  assert.deepEqual(
    sent.map(({ text }) => text),
    ['100', '180', '180'],
  );
});

test('INVITE server: after a 2xx it absorbs INVITEs, lets further 2xx through, and ends after timer L', () => {
  const { clock, sent, events, server } = setUp(true);
  server.reply(200, reply('200'));
  server.retransmitted();
  server.reply(180, reply('late 180'));
  server.reply(486, reply('late 486'));
  server.reply(200, reply('200 again'));
  clock.advance(33_000);
  assert.deepEqual(
    sent.map(({ text }) => text),
    ['200', '200 again'],
  );
  assert.deepEqual(events, ['ended at 32000']);
});

test('non-INVITE server: is silent to retransmissions before a reply, resends the final one until timer J', () => {
  const { clock, sent, events, server } = setUp(false);
  server.retransmitted();
  assert.equal(sent.length, 0);
  server.reply(200, reply('200'));
  clock.advance(31_000);
  server.retransmitted();
  server.reply(500, reply('late 500'));
  clock.advance(2_000);
  assert.deepEqual(sent, [
    { at: 0, text: '200' },
    { at: 31_000, text: '200' },
  ]);
  assert.deepEqual(events, ['ended at 32000']);
});

test('non-INVITE server: one that is abandoned still absorbs retransmissions (RFC 4320 4.2)', () => {
  const { clock, sent, events, server } = setUp(false);
  server.abandon();
  server.retransmitted();
  clock.advance(32_000);
  assert.equal(sent.length, 0);
  assert.deepEqual(events, ['ended at 32000']);
});

for (const invite of [true, false]) {
  test(`${invite ? 'INVITE' : 'non-INVITE'} server: a reply that could not be sent leaves the state as it is (RFC 6026 7.1)`, () => {
    const { events, server } = setUp(invite);
    server.reply(404, reply('404'));
    server.transportFailed();
    assert.equal(server.state, 'completed');
    assert.deepEqual(events, []);
  });
}

test('a server transaction whose timers are cancelled leaves none behind', () => {
  const { clock, server } = setUp(true);
  server.reply(486, reply('486'));
  server.cancelTimers();
  assert.equal(clock.pending, 0);
});
