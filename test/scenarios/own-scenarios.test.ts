import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { missing } from '../programs/missing.ts';
import { assertAllGood, complaints, runPair, startCallProxy } from './pair.ts';

const FOLDER = join(ROOT, 'test/scenarios/sipp');
const CALLS = 100;
const RATE = 50;

/** Callers and callees in sipp/ that meet through the proxy. */
const PAIRS = [
  { title: 'a record-routed call', caller: 'caller', callee: 'callee' },
  { title: 'a call in which the callee hangs up', caller: 'caller-hung-up-on', callee: 'callee-hangs-up' },
  { title: 'CANCEL while it rings', caller: 'caller-cancels', callee: 'callee-cancelled' },
  { title: 'a busy callee', caller: 'caller-refused', callee: 'callee-refuses' },
  { title: 'INVITEs that are lost on the way to the callee', caller: 'caller', callee: 'callee-loses' },
  { title: 'OPTIONS', caller: 'caller-options', callee: 'callee-options' },
  { title: 'MESSAGE', caller: 'caller-message', callee: 'callee-message' },
] as const;

for (const { title, caller, callee } of PAIRS) {
  test(`scenarios: ${title}: every call is good`, { skip: missing('sipp') ?? false }, async (t) => {
    const { proxy, calleePort } = await startCallProxy(t);
    const pair = {
      caller: join(FOLDER, `${caller}.xml`),
      callee: join(FOLDER, `${callee}.xml`),
      calls: CALLS,
      rate: RATE,
    };
    const result = await runPair(pair, { target: proxy.port, calleePort });
    assertAllGood('caller', result.caller, CALLS);
    assertAllGood('callee', result.callee, CALLS);
    // The proxy sends again what is lost beyond it, and 100 Trying in time: the caller has no reason to.
    assert.equal(result.caller.retransmissions, 0);
    assert.deepEqual(complaints(proxy), []);
  });
}

const FAMILIES = [
  { title: 'over IPv6', sides: { caller: '::1', callee: '::1' } },
  { title: 'from IPv6 to IPv4', sides: { caller: '::1', callee: '127.0.0.1' } },
  { title: 'from IPv4 to IPv6', sides: { caller: '127.0.0.1', callee: '::1' } },
];

for (const { title, sides } of FAMILIES) {
  test(`scenarios: a record-routed call ${title}: every call is good`, {
    skip: missing('sipp') ?? false,
  }, async (t) => {
    const { proxy, calleePort } = await startCallProxy(t, { sides });
    const pair = {
      caller: join(FOLDER, 'caller.xml'),
      callee: join(FOLDER, 'callee.xml'),
      calls: 20,
      rate: 50,
    };
    const result = await runPair(pair, { target: proxy.port, calleePort, sides });
    assertAllGood('caller', result.caller, 20);
    assertAllGood('callee', result.callee, 20);
    assert.deepEqual(complaints(proxy), []);
  });
}
