import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLEE, response } from '../modules/tm/messages.ts';
import { missing } from '../programs/missing.ts';
import {
  assertCallGoesThrough,
  assertOthersGoOn,
  type Bench,
  bench,
  comes,
  invite,
  isRefused,
  KEY,
  passDeadline,
  recover,
  sent,
  TIMEOUT_MS,
  VALUE,
} from './fault-bench.ts';

interface Fault {
  readonly name: string;
  /** Breaks the store. */
  readonly happen: (at: Bench) => void | Promise<void>;
  /** Puts it right, where it is not the relay alone that is broken. */
  readonly end?: (at: Bench) => void;
  /** Why the call's look-up failed. */
  readonly reason: RegExp;
  /** Whether it shows by the deadline alone. */
  readonly isSilent: boolean;
  readonly asProcess?: boolean;
}

/** Of what the server answers, the first half. */
function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length / 2);
}

/** Has each reply come later, or in pieces, by the proxy's clock. */
function later({ relay, rig }: Bench, waitMs: number, pieceBytes: number): void {
  relay.fate = (bytes, client) => {
    for (let at = 0, piece = 1; at < bytes.length; at += pieceBytes, piece++) {
      const part = bytes.subarray(at, at + pieceBytes);
      rig.clock.setTimer(waitMs * piece, () => {
        if (!client.destroyed) client.write(part);
      });
    }
  };
}

const FAULTS: readonly Fault[] = [
  {
    name: 'refused',
    happen: async ({ relay, rig }) => {
      relay.close();
      // The proxy hears that its idle connection has ended, which is no fault.
      for (let i = 0; i < 10; i++) await rig.advance(0);
    },
    reason: /ECONNREFUSED/,
    isSilent: false,
  },
  {
    name: 'stopped (SIGSTOP)',
    happen: ({ process }) => process?.pause(),
    end: ({ process }) => process?.resume(),
    reason: /no answer within the timeout/,
    isSilent: true,
    asProcess: true,
  },
  {
    name: 'reset in mid-reply',
    happen: ({ relay }) => {
      relay.fate = (bytes, client) => {
        client.write(half(bytes), () => client.resetAndDestroy());
      };
    },
    reason: /socket (end|close|error)|ECONNRESET/,
    isSilent: false,
  },
  {
    name: 'garbage for a reply',
    happen: ({ relay }) => {
      relay.fate = (bytes, client) => {
        client.write(Buffer.concat([Buffer.from([0xff, 0x00, 0x0d, 0x0a]), bytes]));
      };
    },
    reason: /unexpected reply to get/,
    isSilent: false,
  },
  {
    name: '250 ms latency',
    happen: (at) => later(at, 250, 65_536),
    reason: /no answer within the timeout/,
    isSilent: true,
  },
  {
    name: 'half-open connection',
    happen: ({ relay }) => {
      relay.isThere = false;
    },
    reason: /no answer within the timeout/,
    isSilent: true,
  },
  {
    name: 'slow loris reply, a byte every 50 ms',
    happen: (at) => later(at, 50, 1),
    reason: /no answer within the timeout/,
    isSilent: true,
  },
  {
    name: 'reply for another key',
    happen: ({ relay }) => {
      relay.fate = (bytes, client) => {
        client.write(
          bytes.toString('latin1').replace(`VALUE ${KEY} 1 7\r\n${VALUE}`, 'VALUE other 1 5\r\nwrong'),
        );
      };
    },
    reason: /value of a key that was not asked for/,
    isSilent: false,
  },
];

for (const { name, happen, end, reason, isSilent, asProcess = false } of FAULTS) {
  const skip = asProcess ? (missing('memcached') ?? false) : false;
  test(`memcached faults, a call: ${name}: refused by the route's policy at the deadline at the latest, and calls go through when it is over`, {
    skip,
  }, async (t) => {
    const at = await bench(t, { asProcess });
    const { rig, outcomes, relay } = at;
    await assertCallGoesThrough(at);

    await happen(at);
    await invite(at);
    await assertOthersGoOn(at);
    if (isSilent) {
      assert.equal(sent(at).some(isRefused), false, 'it is not known yet');
      await passDeadline(at);
    }
    assert.ok(await comes(() => sent(at).some(isRefused)), sent(at).join('\n'));
    const [, outcome] = outcomes;
    assert.equal(outcome?.status, 'down');
    assert.match(outcome?.status === 'down' ? outcome.reason : '', reason);

    // The next one does not wait at all.
    await invite(at);
    assert.ok(sent(at).some(isRefused), sent(at).join('\n'));
    await assertOthersGoOn(at);

    end?.(at);
    await relay.heal();
    await recover(at);
    await assertCallGoesThrough(at);
    assert.deepEqual(
      outcomes.map((each) => (each.status === 'hit' ? each.value : each.status)),
      [VALUE, 'down', 'down', VALUE],
    );
    assert.deepEqual(rig.lines('error'), []);
    assert.equal(rig.lines('warn').length, 1, rig.lines('warn').join('\n'));
  });
}

test('memcached faults, a call: latency below the deadline delays the call that needs the store, and no other', async (t) => {
  const at = await bench(t);
  await assertCallGoesThrough(at);
  const latencyMs = TIMEOUT_MS - 50;
  later(at, latencyMs, 65_536);
  await invite(at);
  await assertOthersGoOn(at);
  const relayed = (): boolean => sent(at).some((line) => line.startsWith('INVITE'));
  // The reply is held once it has come to the relay.
  assert.ok(await comes(() => at.rig.clock.pending > 0));
  for (let passed = 0; passed < latencyMs && !relayed(); passed += 10) await at.rig.advance(10);
  assert.ok(await comes(relayed));
  assert.deepEqual(at.outcomes.at(-1), { status: 'hit', value: VALUE });
  const invitation = at.rig.take().find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
  await at.rig.receive(response(invitation, 486), CALLEE);
  assert.match(sent(at).join('\n'), /^SIP\/2\.0 486 .* -> 10\.0\.0\.2/m);
});
