import type { Call, HandlerName } from '../../core/index.ts';
import { defineModule, param } from '../../core/index.ts';

type AnyCall = Call<{ readonly n: number }>;

/** A module that exists for the type tests alone: variables and functions of every sort. */
export const typedFixture = defineModule({
  name: 'typed_fixture',
  doc: 'For type tests.',
  depends: [],
  params: {
    text: param.string({ default: '', doc: 'Text.' }),
    count: param.int({ default: 1, unit: 'count', doc: 'Count.' }),
    on: param.bool({ default: false, doc: 'Switch.' }),
    mode: param.oneOf([0, 1], { default: 0, doc: 'Mode.' }),
    level: param.oneOf(['low', 'high'], { default: 'low', doc: 'Level.' }),
  },
  init: ({ params }) => ({ n: 1, params }),
  api: (state) => ({ double: (): number => state.n * 2 }),
  pseudoVariables: {
    $tf_plain: { doc: 'Read only.', plain: true, get: (): string => '' },
    $tf_settable: {
      doc: 'Settable.',
      plain: true,
      get: (): string | null => null,
      set: (_call: AnyCall, _value: string | null): void => undefined,
    },
    $tf_key: {
      doc: 'With a key, and waiting.',
      get: async (
        _call: AnyCall,
        _key: string,
        _options?: { readonly expire: number },
      ): Promise<number | null> => null,
      set: async (
        _call: AnyCall,
        value: number | string | null,
        _key: string,
        _options?: { readonly expire: number },
      ): Promise<boolean> => value !== null,
    },
    $tf_state: { doc: 'Sees the state.', plain: true, get: ({ state }) => state.n },
  },
  functions: {
    anywhere: { doc: 'A.', signature: '(): boolean', on: 'any', call: (_call): boolean => true },
    on_requests: {
      doc: 'R.',
      signature: '(code: number, reason?: string): Promise<boolean>',
      on: 'request',
      call: async ({ msg }, _code: number, _reason?: string): Promise<boolean> => msg.kind === 'request',
    },
    on_replies: {
      doc: 'R.',
      signature: '(): number',
      on: 'reply',
      call: ({ msg }): number => msg.status,
    },
    on_failure_only: {
      doc: 'F.',
      signature: '(): void',
      on: 'request',
      routes: ['failure'],
      call: (_call): void => undefined,
    },
    arm_failure: {
      doc: 'Arms.',
      signature: '(name: string): void',
      on: 'request',
      call: (_call, _name: HandlerName<'failure'>): void => undefined,
    },
    arm_reply: {
      doc: 'Arms.',
      signature: '(name: string): void',
      on: 'any',
      call: (_call, _name: HandlerName<'onreply'>): void => undefined,
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    typed_fixture: typeof typedFixture;
  }
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- two unknown types can be told apart in no other way
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Holds two types together: it compiles only when they are the same. */
export function expectType<A, B>(_same: Equal<A, B>): void {}
