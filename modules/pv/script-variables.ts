import type { PvResult, PvValue } from '../../core/index.ts';
import { type PvCall, readOnly } from './declare.ts';

/** What a script variable holds before it is set (Kamailio's initial value). */
const UNSET_VAR = 0;

/** What belongs to the handler rather than to the message. */
export const scriptVariables = {
  $var: {
    doc: 'Script variable; lives for one run of a handler. 0 until it is set; null sets it back to 0.',
    get: ({ scope }: PvCall, name: string): string | number => scope.vars?.get(name) ?? UNSET_VAR,
    set({ scope }: PvCall, value: PvValue, name: string): void {
      scope.vars ??= new Map();
      scope.vars.set(name, plainValue(value));
    },
  },
  $avp: {
    doc: 'Value of an AVP, which lives as long as the transaction; null when there is none. Setting adds a value on top of those there are; null removes the topmost.',
    get: ({ scope }: PvCall, name: string): PvValue => scope.avps.get(name)[0] ?? null,
    set({ scope }: PvCall, value: PvValue, name: string): void {
      if (value !== null) return scope.avps.push(name, plainValue(value));
      const below = scope.avps.get(name).slice(1);
      scope.avps.clear(name);
      for (const kept of below.toReversed()) scope.avps.push(name, kept);
    },
  },
  $TS: readOnly('Time now, s since 1970.', ({ state }) => Math.floor(state.wallMs() / 1_000)),
  $null: readOnly('Null, for comparisons and formats.', () => null),
} as const;

/** Values set by name may be bigint: numbers of 64 bits, from memcached. */
function plainValue(value: PvResult): PvValue {
  return typeof value === 'bigint' ? String(value) : value;
}
