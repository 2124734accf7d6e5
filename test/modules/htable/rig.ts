import type { PvRef } from '../../../core/registry/module.ts';
import { readParam, type ParamValues } from '../../../core/registry/params.ts';
import type { Scope } from '../../../core/registry/scope.ts';
import { htable } from '../../../modules/htable/htable.ts';
import type { HtableState } from '../../../modules/htable/htable-state.ts';
import type { NameArgument, NamePart } from '../../../modules/htable/name.ts';
import type { FakeClock } from '../../../core/testing/fake-clock.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, fakeFormats, request, scopeOf } from '../fake-core.ts';

type Variables = typeof htable.pseudoVariables;
type Refs = { readonly [N in keyof Variables]: PvRef<Variables[N]> };

/** The module as the core starts it, with a clock of the test's own. */
export interface Rig {
  readonly state: HtableState;
  readonly clock: FakeClock;
  readonly pv: Refs;
  readonly call: ReturnType<typeof callOf<HtableState, ReturnType<typeof request>>>;
  /** Another run of a handler. */
  readonly otherRun: () => Rig['call'];
  /** What was logged. */
  readonly log: ReturnType<typeof recordedLog>;
}

function paramsOf(params: Readonly<Record<string, unknown>>): ParamValues<typeof htable.params> {
  const read = Object.entries(htable.params).map(([name, declared]) => {
    const result = readParam(declared, params[name]);
    if (!result.ok) throw new Error(`${name}: ${result.found}${result.why}`);
    return [name, result.value];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has been read by its own declaration
  return Object.fromEntries(read) as ParamValues<typeof htable.params>;
}

/** Starts the module with these parameters; `variables` are what keys may name. */
export function startHtable(
  params: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | null>> = {},
): Rig {
  const core = fakeCore({ formats: fakeFormats({ ...variables }) });
  const log = recordedLog();
  const state = htable.init({ params: paramsOf(params), log, core, deps: {} });
  void htable.start?.(state);
  const run = (scope: Scope) => callOf(state, request(), { scope, log });
  const call = run(scopeOf(request()));
  const { $sht, $shtex, $shtinc, $shtdec, $shtcn, $shtcv } = htable.pseudoVariables;
  type Get<T> = (call: Rig['call'], name: NameArgument, ...values: readonly NamePart[]) => Promise<T>;
  const reader =
    <T>(get: Get<T>) =>
    (name: NameArgument, ...values: readonly NamePart[]) => ({ get: () => get(call, name, ...values) });
  return {
    state,
    clock: core.clock,
    call,
    log,
    otherRun: () => run(scopeOf(request())),
    pv: {
      $sht: (name, ...values) => ({
        get: () => $sht.get(call, name, ...values),
        set: (value) => $sht.set(call, value, name, ...values),
      }),
      $shtex: (name, ...values) => ({
        get: () => $shtex.get(call, name, ...values),
        set: (value) => $shtex.set(call, value, name, ...values),
      }),
      $shtinc: reader((...args) => $shtinc.get(...args)),
      $shtdec: reader((...args) => $shtdec.get(...args)),
      $shtcn: reader((...args) => $shtcn.get(...args)),
      $shtcv: reader((...args) => $shtcv.get(...args)),
    },
  };
}
