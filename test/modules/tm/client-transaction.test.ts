import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage, type SipResponse, type Target } from '../../../core/index.ts';
import { ClientTransaction } from '../../../modules/tm/client-transaction.ts';
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

function setUp(invite: boolean, protocol: Target['protocol'] = 'udp') {
  const clock = new FakeClock();
  const start = clock.now();
  let resent = 0;
  const sent: { at: number; text: string }[] = [];
  const events: string[] = [];
  let fail: ((error: Error) => void) | null = null;
  const client = new ClientTransaction(
    {
      invite,
      environment: { clock, timing, waits: new Waits(clock) },
      resending: () => void (resent += 1),
      transmit(request, onError) {
        sent.push({ at: clock.now() - start, text: request.toString() });
        fail = onError;
      },
      responded: ({ status }) => events.push(`responded ${status}`),
      acknowledgement: ({ status }) => Buffer.from(`ACK ${status}`),
      timedOut: () => events.push(`timed out at ${clock.now() - start}`),
      transportFailed: (error) => events.push(`failed: ${error.message}`),
      clientEnded: () => events.push(`ended at ${clock.now() - start}`),
    },
    {
      request: Buffer.from('request'),
      reliable: protocol !== 'udp',
    },
  );
  client.start();
  return { clock, sent, events, client, resent: () => resent, fail: (error: Error) => fail?.(error) };
}
function response(status: number): SipResponse {
  const point = { protocol: 'udp', family: 4, address: '127.0.0.1', port: 5060 } as const;
  const named = { ...point, advertisedHost: '127.0.0.1', advertisedPort: 5060, sentBy: '127.0.0.1:5060' };
  const parsed = parseMessage(Buffer.from(`SIP/2.0 ${status} Any\r\n\r\n`), {
    point: named,
    address: '127.0.0.1',
    port: 5070,
    flow: 0,
  });
  assert.ok(parsed.ok && parsed.msg.kind === 'response');
  return parsed.msg;
}

test('INVITE client: resends at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and gives up at 32 s (timers A, B)', () => {
  const { clock, sent, events, resent } = setUp(true);
  clock.advance(60_000);
  assert.equal(resent(), 6);
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500],
  );
  assert.deepEqual(events, ['timed out at 32000', 'ended at 32000']);
});

test('INVITE client: a provisional response stops retransmissions and timer B', () => {
  const { clock, sent, events, client } = setUp(true);
  clock.advance(600);
  client.received(response(100));
  clock.advance(120_000);
  assert.equal(sent.length, 2);
  assert.deepEqual(events, ['responded 100']);
});

for (const status of [300, 404, 503, 603]) {
  test(`INVITE client: acknowledges a ${status} each time it comes, passes it up once, and ends after timer D`, () => {
    const { clock, sent, events, client } = setUp(true);
    client.received(response(180));
    client.received(response(status));
    clock.advance(1_000);
    client.received(response(status));
    clock.advance(40_000);
    assert.deepEqual(sent.slice(1), [
      { at: 0, text: `ACK ${status}` },
      { at: 1_000, text: `ACK ${status}` },
    ]);
    assert.deepEqual(events, ['responded 180', `responded ${status}`, 'ended at 32000']);
  });
}

test('INVITE client: passes every 2xx up, never acknowledges one, and ends after timer M (RFC 6026)', () => {
  const { clock, sent, events, client } = setUp(true);
  client.received(response(200));
  client.received(response(200));
  client.received(response(486));
  client.received(response(180));
  clock.advance(33_000);
  assert.equal(sent.length, 1);
  assert.deepEqual(events, ['responded 200', 'responded 200', 'ended at 32000']);
});

test('non-INVITE client: resends with intervals doubled up to T2 and gives up at 64*T1 (timers E, F)', () => {
  const { clock, sent, events } = setUp(false);
  clock.advance(40_000);
  const times = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
  assert.deepEqual(
    sent.map(({ at }) => at),
    times,
  );
  assert.deepEqual(events, ['timed out at 32000', 'ended at 32000']);
});

test('non-INVITE client: resends every T2 once a provisional response has come', () => {
  const { clock, sent, client } = setUp(false);
  client.received(response(100));
  clock.advance(9_000);
  assert.deepEqual(
    sent.map(({ at }) => at),
    [0, 500, 4_500, 8_500],
  );
});

for (const status of [200, 302, 404, 500, 600]) {
  test(`non-INVITE client: passes a ${status} up once and absorbs it for T4 (timer K)`, () => {
    const { clock, sent, events, client } = setUp(false);
    client.received(response(status));
    client.received(response(status));
    clock.advance(6_000);
    assert.equal(sent.length, 1);
    assert.deepEqual(events, [`responded ${status}`, 'ended at 5000']);
  });
}

for (const invite of [true, false]) {
  const name = invite ? 'INVITE' : 'non-INVITE';
  test(`${name} client: a request that could not be sent ends it`, () => {
    const { clock, events, fail } = setUp(invite);
    fail(new Error('ENETUNREACH'));
    assert.deepEqual(events, ['failed: ENETUNREACH', 'ended at 0']);
    assert.equal(clock.pending, 0);
  });

  test(`${name} client: over TCP the request goes out once`, () => {
    const { clock, sent, events } = setUp(invite, 'tcp');
    clock.advance(40_000);
    assert.equal(sent.length, 1);
    assert.deepEqual(events, ['timed out at 32000', 'ended at 32000']);
  });
}
