import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLER, request } from './messages.ts';

type Arm = 't_on_failure' | 't_on_reply' | 't_on_branch';

/** What a function of the user's own sees when the compiler knows nothing of its names. */
interface Untyped {
  readonly ksr: { readonly tm: Readonly<Record<Arm, (name?: unknown) => void>> };
}

/** Runs a request handler whose own function arms a handler; routes have `busy` in failure. Gives the error in the log, without its place. */
async function errorOf(fn: Arm, ...name: readonly unknown[]): Promise<string | undefined> {
  const rig = await proxyRig({
    uses: ['tm'],
    request({ ksr }: Untyped) {
      ksr.tm[fn](...name);
    },
    failure: { busy() {} },
  });
  await rig.receive(request(), CALLER);
  return rig.lines('error')[0]?.replaceAll(/^handler request failed at \S+: |\S+: (?=request calls)/g, '');
}

const FAULTS: readonly (readonly [Arm, readonly unknown[], string])[] = [
  [
    't_on_failure',
    ['bsuy'],
    "request calls t_on_failure('bsuy'), but there is no failure handler of that name; did you mean 'busy'?",
  ],
  ['t_on_reply', ['busy'], "request calls t_on_reply('busy'), but there is no onreply handler of that name"],
  ['t_on_branch', [''], "request calls t_on_branch(''), but there is no branch handler of that name"],
  ['t_on_failure', [], 't_on_failure: expected the name of a handler in failure, or null, found undefined'],
  ['t_on_reply', [5], 't_on_reply: expected the name of a handler in onreply, or null, found 5'],
  ['t_on_branch', [0n], 't_on_branch: expected the name of a handler in branch, or null, found 0 (bigint)'],
];
for (const [fn, name, expected] of FAULTS) {
  test(`${fn}: refuses ${name.map(String).join() || 'nothing'} where it is called`, async () => {
    assert.equal(await errorOf(fn, ...name), expected);
  });
}

test('t_on_failure: takes a name that a handler has, and null and 0 to disarm', async () => {
  for (const name of ['busy', null, '0']) assert.equal(await errorOf('t_on_failure', name), undefined);
});
