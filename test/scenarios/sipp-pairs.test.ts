/**
 * Scenarios of another project, used where they lie, with callers and callees of our own (`own:`) where they have no partner for a proxy.
 * All of them run; a test says so.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
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

/** Loses nothing, and gives up after 64*T1 at the earliest. */
const PATIENT = ['-max_retrans', '20', '-max_invite_retrans', '20', '-max_non_invite_retrans', '20'];

interface Pair {
  readonly caller: string;
  /** `own:NAME:STATUS` is a scenario of ours with that status instead of its 486. */
  readonly callee: string;
  /** Default 10. 1 where the scenario uses the same Via branch in every call. */
  readonly calls?: number;
  readonly callerArgs?: readonly string[];
  readonly calleeArgs?: readonly string[];
  /** Text of the caller's scenario, and what stands there instead. */
  readonly changed?: readonly [from: string, to: string];
}

/** What is expected of each: every call good, on both sides. */
const PAIRS: readonly Pair[] = [
  // Long ones first: they run side by side with the others.
  // Never acknowledges a 480, which the proxy sends again until timer H (32 s).
  { caller: 'uac-no-ack', callee: 'own:callee-refuses:480 Temporarily Unavailable' },
  // Never acknowledges a 200, which the callee sends again for 32 s; all is over then, so it waits less long than its 65 s.
  {
    caller: 'uac-200-no-ack',
    callee: 'own:callee-never-acknowledged',
    calleeArgs: PATIENT,
    changed: ['milliseconds="65000"', 'milliseconds="34000"'],
  },
  // Loses three of four 200s.
  { caller: 'uac-drop-one-200', callee: 'uas-success', calleeArgs: PERSISTENT },
  // Loses every other ACK.
  { caller: 'uac', callee: 'uas-drop-one-200', callerArgs: LONG_CALL, calleeArgs: PERSISTENT },
  { caller: 'uac-reinvite-bye-race', callee: 'own:callee-reinvited' },
  // This callee wants the BYE before the re-INVITE, and the proxy keeps the order in which the requests of a dialog come. What it answers is
  // for a user agent next to it (one Via, and two tags in To): no proxy may send that on, so the caller does not wait for it.
  { caller: 'own:caller-overtaken', callee: 'uas-reinvite-bye-race' },
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
  // Their registrar's part: what it answers is its own affair, the proxy carries the odd Contact.
  { caller: 'register-bad-contact', callee: 'own:callee-registers:403 Forbidden' },
  { caller: 'uac-register-with-star-in-contact', callee: 'own:callee-registers:200 OK' },
  // Acknowledges a 603 with the branch and To tag of no one.
  { caller: 'uac-spammer-ack-crash', callee: 'own:callee-refuses:603 Decline', calls: 1 },
];

/** The file of a scenario. SIPp takes no variables for a status and the length of a pause: a copy has them changed. */
function fileOf(name: string, changed?: Pair['changed']): string {
  const [owner, scenario = '', status] = name.split(':');
  const isOwn = owner === 'own';
  const file = isOwn ? join(OWN, `${scenario}.xml`) : join(MATERIAL, `${name}.xml`);
  const [from, to] = changed ?? (status === undefined ? [] : ['486 Busy Here', status]);
  if (from === undefined || to === undefined) return file;
  const text = readFileSync(file, 'latin1');
  assert.ok(text.includes(from));
  const copy = join(tempFolder(), basename(file));
  writeFileSync(copy, text.replace(from, to));
  return copy;
}

const skip = missing('sipp') ?? (existsSync(MATERIAL) ? false : `there is no folder ${MATERIAL}`);

describe('sipp pairs', { skip, concurrency: 4 }, () => {
  for (const { caller, callee, calls = 10, callerArgs = [], calleeArgs = [], changed } of PAIRS) {
    test(`sipp pairs: ${caller} calls ${callee}, and every call is good`, async (t) => {
      const { proxy, calleePort } = await startCallProxy(t, { lenient: true });
      const pair = {
        caller: fileOf(caller, changed),
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

  test('sipp pairs: every scenario of the other project is in the table', () => {
    const scenarios = readdirSync(MATERIAL).filter((name) => name.endsWith('.xml'));
    assert.ok(scenarios.length >= 24);
    const used = new Set(PAIRS.flatMap(({ caller, callee }) => [`${caller}.xml`, `${callee}.xml`]));
    assert.deepEqual(
      scenarios.filter((name) => !used.has(name)),
      [],
    );
  });
});
