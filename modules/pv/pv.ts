import { defineModule, type PvResult } from '../../core/index.ts';
import type { PvState } from './declare.ts';
import { messageVariables } from './message-variables.ts';
import { scriptVariables } from './script-variables.ts';
import { uriVariables } from './uri-variables.ts';

/** Pseudo-variables of the message, and access to all variables by name. */
export const pv = defineModule({
  name: 'pv',
  doc: 'Pseudo-variables of the message in hand and of the handler, and access to the variables of all modules by name.',
  depends: [],
  params: {},
  init: ({ core }): PvState => ({ core, wallMs: Date.now }),
  pseudoVariables: { ...uriVariables, ...messageVariables, ...scriptVariables },
  functions: {
    get: {
      on: 'any',
      doc: 'Value of a variable by name, such as `$mct(test)`. A promise when the variable has to wait.',
      signature: '(name: string): PvResult | Promise<PvResult>',
      call: ({ scope, state }, name: string): PvResult | Promise<PvResult> =>
        state.core.formats.get(scope, name),
    },
    gete: {
      on: 'any',
      doc: 'The same as a text; empty for null.',
      signature: '(name: string): string | Promise<string>',
      call: ({ scope, state }, name: string): string | Promise<string> =>
        mapped(state.core.formats.get(scope, name), (value) => (value === null ? '' : String(value))),
    },
    geti: {
      on: 'any',
      doc: 'The same as a number; 0 for null and for text that is no number.',
      signature: '(name: string): number | Promise<number>',
      call: ({ scope, state }, name: string): number | Promise<number> =>
        mapped(state.core.formats.get(scope, name), asNumber),
    },
    sets: {
      on: 'any',
      doc: 'Sets a variable to a text. Returns what setting it answers: for most variables nothing.',
      signature:
        '(name: string, text: string): PvResult | boolean | void | Promise<PvResult | boolean | void>',
      call: ({ scope, state }, name: string, text: string) => state.core.formats.set(scope, name, text),
    },
    seti: {
      on: 'any',
      doc: 'Sets a variable to a number. Returns what setting it answers: the new value for `$mcinc(key)`, for most variables nothing.',
      signature:
        '(name: string, value: number): PvResult | boolean | void | Promise<PvResult | boolean | void>',
      call: ({ scope, state }, name: string, value: number) => state.core.formats.set(scope, name, value),
    },
    unset: {
      on: 'any',
      doc: 'Sets a variable to null.',
      signature: '(name: string): PvResult | boolean | void | Promise<PvResult | boolean | void>',
      call: ({ scope, state }, name: string) => state.core.formats.set(scope, name, null),
    },
    is_null: {
      on: 'any',
      doc: 'Whether a variable is null.',
      signature: '(name: string): boolean | Promise<boolean>',
      call: ({ scope, state }, name: string): boolean | Promise<boolean> =>
        mapped(state.core.formats.get(scope, name), (value) => value === null),
    },
  },
});

function mapped<T>(value: PvResult | Promise<PvResult>, map: (value: PvResult) => T): T | Promise<T> {
  return value instanceof Promise ? value.then(map) : map(value);
}

function asNumber(value: PvResult): number {
  const number = value === null ? 0 : Number(value);
  return Number.isNaN(number) ? 0 : number;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    pv: typeof pv;
  }
}
