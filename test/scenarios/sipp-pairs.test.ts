/**
 * Scenarios of another project, used where they lie, with callers and callees of our own (`own:`) where they have no partner for a proxy.
 *
 * Not run, and why:
 * - register-bad-contact, uac-register-with-star-in-contact: they ask a registrar.
 * - uas-reinvite-bye-race: this callee wants the BYE before the re-INVITE that was sent first. The proxy keeps the order of a dialog's
 *   requests; its caller is run with a callee that takes them in order.
 * - uac-200-no-ack: waits for 65 s after a 200 that it never acknowledges. uac-drop-all-200 shows the same to the proxy.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { missing } from '../programs/missing.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { assertAllGood, complaints, runPair, startCallProxy } from './pair.ts';

const MATERIAL = resolve(process.env['KAMAIKI_TEST_MATERIAL'] ?? '../shared/tests', 'sipp');
const OWN = join(ROOT, 'test/scenarios/sipp');

/** Retransmits every T1 and not more slowly, so that a scenario that loses most messages at random ends in time. */
const PERSISTENT = [
  '-T2',
  '500',
  '-max_retrans',
  '60',
  '-max_invite_retrans',
  '60',
  '-max_non_invite_retrans',
  '60',
];
/** Stays in the call for 10 s. */
const LONG_CALL = ['-d', '10000'];

interface Pair {
  readonly caller: string;
  /** `own:NAME:STATUS` is a scenario of ours with that status instead of its 486. */
  readonly callee: string;
  /** Default 10. 1 where the scenario uses the same Via branch in every call. */
  readonly calls?: number;
  readonly callerArgs?: readonly string[];
  readonly calleeArgs?: readonly string[];
}

/** What is expected of each: every call good, on both sides. */
const PAIRS: readonly Pair[] = [
  // Long ones first: they run side by side with the others.
  // Never acknowledges a 480, which the proxy sends again until timer H (32 s).
  { caller: 'uac-no-ack', callee: 'own:callee-refuses:480 Temporarily Unavailable' },
  // Loses three of four 200s.
  { caller: 'uac-drop-one-200', callee: 'uas-success', calleeArgs: PERSISTENT },
  // Loses every other ACK.
  { caller: 'uac', callee: 'uas-drop-one-200', callerArgs: LONG_CALL, calleeArgs: PERSISTENT },
  { caller: 'uac-reinvite-bye-race', callee: 'own:callee-reinvited' },
  // Answers after 4 s: the proxy sends 100 Trying after 3.5 s (RFC 4320 4.1).
  { caller: 'own:caller-options-slow', callee: 'uas-options-delay' },
  { caller: 'uac', callee: 'uas-success' },
  { caller: 'uac', callee: 'uas-183-180-200' },
  { caller: 'uac-long-sdp', callee: 'uas-success' },
  { caller: 'uac-long-uri', callee: 'uas-success' },
  { caller: 'uac-utf8', callee: 'uas-success' },
  { caller: 'uac-preloaded-route', callee: 'uas-success' },
  { caller: 'uac-expect-486', callee: 'uas-fail-486' },
  { caller: 'uac-cancel', callee: 'uas-cancel' },
  // Sees no 200, and is hung up on.
  { caller: 'uac-drop-all-200', callee: 'own:callee-unacknowledged' },
  // The user part is odd, and valid (RFC 3261 25.1): the proxy sends it on. The scenario wants a 500.
  { caller: 'uac-invalid-uri-user', callee: 'own:callee-refuses:500 Server Internal Error' },
  // Its Via names an address that is not its own, with rport.
  { caller: 'uac-long-message', callee: 'own:callee-message', calls: 1 },
  // Acknowledges a 603 with the branch and To tag of no one.
  { caller: 'uac-spammer-ack-crash', callee: 'own:callee-refuses:603 Decline', calls: 1 },
];

/** The file of a scenario. */
function fileOf(name: string): string {
  const [owner, scenario = '', status] = name.split(':');
  if (owner !== 'own') return join(MATERIAL, `${name}.xml`);
  const file = join(OWN, `${scenario}.xml`);
  if (status === undefined) return file;
  // SIPp takes no variable for a status.
  const changed = join(tempFolder(), `${scenario}.xml`);
  writeFileSync(changed, readFileSync(file, 'latin1').replace('486 Busy Here', status));
  return changed;
}

const skip = missing('sipp') ?? (existsSync(MATERIAL) ? false : `there is no folder ${MATERIAL}`);

describe('sipp pairs', { skip, concurrency: 4 }, () => {
  for (const { caller, callee, calls = 10, callerArgs = [], calleeArgs = [] } of PAIRS) {
    test(`sipp pairs: ${caller} calls ${callee}, and every call is good`, async (t) => {
      const { proxy, calleePort } = await startCallProxy(t, { lenient: true });
      const pair = {
        caller: fileOf(caller),
        callee: fileOf(callee),
        calls,
        rate: 10,
        callerArgs,
        calleeArgs,
      };
      const result = await runPair(pair, { target: proxy.port, calleePort });
      assertAllGood('caller', result.caller, calls);
      assertAllGood('callee', result.callee, calls);
      assert.deepEqual(complaints(proxy), []);
    });
  }
});
