import { type Call, defineModule, param, type SipRequest, type SipResponse } from '../../core/index.ts';
import { expectType, type typedFixture } from './typed-fixture.ts';

// What the compiler knows and refuses in a module's declaration. Nothing here runs.

type Params = Parameters<(typeof typedFixture)['init']>[0]['params'];
expectType<Params['text'], string>(true);
expectType<Params['count'], number>(true);
expectType<Params['on'], boolean>(true);
expectType<Params['mode'], 0 | 1>(true);
expectType<Params['level'], 'low' | 'high'>(true);

defineModule({
  name: 'uses_api',
  doc: 'Uses the API of another module.',
  depends: ['typed_fixture'],
  params: { limit: param.int({ default: 1, unit: 'count', doc: 'Limit.' }) },
  init({ deps, params, core }) {
    const doubled = deps.typed_fixture.double();
    expectType<typeof doubled, number>(true);
    expectType<typeof params.limit, number>(true);
    core.clock.now();
    // @ts-expect-error tm is not in depends
    void deps.tm;
    // @ts-expect-error not in its API
    deps.typed_fixture.triple();
    // @ts-expect-error no such parameter
    void params.nope;
    return { doubled };
  },
  start(state) {
    expectType<typeof state, { doubled: number }>(true);
  },
  pseudoVariables: {
    $ua: {
      doc: 'Knows the state.',
      get({ state }) {
        expectType<typeof state, { doubled: number }>(true);
        return state.doubled;
      },
    },
  },
  functions: {
    of_requests: {
      doc: 'Knows its message.',
      signature: '(): void',
      on: 'request',
      call({ msg }): void {
        expectType<typeof msg, SipRequest>(true);
      },
    },
    of_replies: {
      doc: 'Knows its message.',
      signature: '(): void',
      on: 'reply',
      routes: ['onreply'],
      call({ msg }): void {
        expectType<typeof msg, SipResponse>(true);
      },
    },
  },
});

defineModule({
  name: 'depends_on_nothing_known',
  doc: 'Refused.',
  // @ts-expect-error no such module
  depends: ['nope'],
  params: {},
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

const empty = {
  depends: [],
  params: {},
  init: () => ({ n: 1 }),
  pseudoVariables: {},
  functions: {},
} as const;

defineModule({
  ...empty,
  name: 'variable_without_doc',
  doc: 'Refused.',
  // @ts-expect-error a variable has a doc
  pseudoVariables: { $vd: { get: () => 1 } },
});

// @ts-expect-error the state is not what its variable takes
defineModule({
  ...empty,
  name: 'variable_of_other_state',
  doc: 'Refused.',
  pseudoVariables: {
    $vs: { doc: 'X.', plain: true, get: (call: Call<{ readonly n: string }>) => call.state.n },
  },
});

defineModule({
  ...empty,
  name: 'function_without_signature',
  doc: 'Refused.',
  // @ts-expect-error a function says what its arguments are
  functions: { fs: { doc: 'X.', on: 'any', call: () => true } },
});

defineModule({
  ...empty,
  name: 'function_in_wrong_routes',
  doc: 'Refused.',
  // @ts-expect-error what works on requests does not in onreply handlers
  functions: {
    fr: { doc: 'X.', signature: '(): void', on: 'request', routes: ['onreply'], call: (): void => undefined },
  },
});

// @ts-expect-error a module has a doc
defineModule({ ...empty, name: 'module_without_doc' });

// @ts-expect-error the default is one of the values
param.oneOf([0, 1], { default: 2, doc: 'X.' });
// @ts-expect-error a unit is required
param.int({ default: 2, doc: 'X.' });
