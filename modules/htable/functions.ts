import type { Call } from '../../core/index.ts';
import type { HtableState } from './htable-state.ts';
import { endOfLifetime } from './lifetime.ts';
import { itemMatcher, type Part } from './matching.ts';
import { splitName } from './name.ts';
import { checkedValue } from './store.ts';

type HtableCall = Call<HtableState>;

/** Operators of the functions that look for items, and of those that remove them. */
const MATCH_OPERATORS = ['eq', 'ne', 're', 'sw'];
const REMOVE_OPERATORS = ['re', 'sw', 'ew', 'in'];

/** `sht_match_name` and its like: whether a table has an item of which this part matches. */
function matching(caller: string, part: Part) {
  return ({ state }: HtableCall, table: string, operator: string, text: string): boolean =>
    state.table(caller, table).has(itemMatcher(caller, { part, operator, text, allowed: MATCH_OPERATORS }));
}

/** `sht_rm_name` and its like: removes the items of which this part matches. */
function removing(caller: string, part: Part) {
  return ({ state }: HtableCall, table: string, operator: string, text: string): number => {
    const matches = itemMatcher(caller, { part, operator, text, allowed: REMOVE_OPERATORS });
    return state.table(caller, table).deleteWhere(matches);
  };
}

/** `sht_rm_name_re` and its like: the same by a regular expression, `table=>regex`. */
function removingByRegex(caller: string, part: Part) {
  const remove = removing(caller, part);
  return (call: HtableCall, name: string): number => {
    const { table, key: regex } = splitName(caller, name);
    return remove(call, table, 're', regex);
  };
}

/** A value with a lifetime of its own; with that of the table when `expire` is 0. */
function setWithLifetime(
  state: HtableState,
  caller: string,
  item: {
    readonly table: string;
    readonly key: string;
    readonly value: string | number;
    readonly expire: number;
  },
): boolean {
  const { key, value, expire } = item;
  const endMs = expire === 0 ? null : endOfLifetime(caller, expire, state.clock.now());
  return state.table(caller, item.table).set(key, checkedValue(caller, value), endMs).status === 'stored';
}

const NAME = '(name: string)';
const REMOVE = "(table: string, operator: 're' | 'sw' | 'ew' | 'in', text: string): number";
const MATCH = "(table: string, operator: 'eq' | 'ne' | 're' | 'sw', text: string): boolean";

/** The functions of Kamailio's module. */
export const shtFunctions = {
  sht_rm: {
    on: 'any',
    doc: 'Removes a key. False when it is not there.',
    signature: '(table: string, key: string): boolean',
    call: ({ state }: HtableCall, table: string, key: string): boolean =>
      state.table('sht_rm', table).delete(key),
  },
  sht_rm_name_re: {
    on: 'any',
    doc: 'Removes the keys that match a regular expression, `table=>regex`, and gives their number.',
    signature: `${NAME}: number`,
    call: removingByRegex('sht_rm_name_re', 'key'),
  },
  sht_rm_value_re: {
    on: 'any',
    doc: 'Removes the keys whose value is a string that matches a regular expression, `table=>regex`, and gives their number.',
    signature: `${NAME}: number`,
    call: removingByRegex('sht_rm_value_re', 'value'),
  },
  sht_rm_name: {
    on: 'any',
    doc: 'Removes the keys that match (`re`), begin with (`sw`), end with (`ew`) or contain (`in`) a text, and gives their number.',
    signature: REMOVE,
    call: removing('sht_rm_name', 'key'),
  },
  sht_rm_value: {
    on: 'any',
    doc: 'The same by what their values are, where these are strings.',
    signature: REMOVE,
    call: removing('sht_rm_value', 'value'),
  },
  sht_reset: {
    on: 'any',
    doc: 'Removes everything from a table.',
    signature: '(table: string): void',
    call: ({ state }: HtableCall, table: string): void => state.table('sht_reset', table).clear(),
  },
  sht_match_name: {
    on: 'any',
    doc: 'Whether a table has a key that is (`eq`), is not (`ne`), matches (`re`) or begins with (`sw`) a text.',
    signature: MATCH,
    call: matching('sht_match_name', 'key'),
  },
  sht_has_name: {
    on: 'any',
    doc: 'Another name of `sht_match_name`.',
    signature: MATCH,
    call: matching('sht_has_name', 'key'),
  },
  sht_match_str_value: {
    on: 'any',
    doc: 'The same for values that are strings.',
    signature: MATCH,
    call: matching('sht_match_str_value', 'value'),
  },
  sht_has_str_value: {
    on: 'any',
    doc: 'Another name of `sht_match_str_value`.',
    signature: MATCH,
    call: matching('sht_has_str_value', 'value'),
  },
  sht_setxs: {
    on: 'any',
    doc: 'Stores a string with a lifetime in seconds, that of the table when it is 0. False when it found no room.',
    signature: '(table: string, key: string, value: string, expire: number): boolean',
    call: (
      { state }: HtableCall,
      table: string,
      key: string,
      ...rest: readonly [value: string, expire: number]
    ): boolean => {
      const [value, expire] = rest;
      return setWithLifetime(state, 'sht_setxs', { table, key, value, expire });
    },
  },
  sht_setxi: {
    on: 'any',
    doc: 'Stores an integer with a lifetime in seconds, that of the table when it is 0. False when it found no room.',
    signature: '(table: string, key: string, value: number, expire: number): boolean',
    call: (
      { state }: HtableCall,
      table: string,
      key: string,
      ...rest: readonly [value: number, expire: number]
    ): boolean => {
      const [value, expire] = rest;
      return setWithLifetime(state, 'sht_setxi', { table, key, value, expire });
    },
  },
  sht_lock: {
    on: 'any',
    doc: 'Locks a key, `table=>key`, for this run of a handler, which may do so several times. False when another one did not unlock it within `lock_wait`.',
    signature: `${NAME}: Promise<boolean>`,
    call: ({ state, scope }: HtableCall, name: string): Promise<boolean> =>
      state.locks.lock(state.item('sht_lock', name).name, scope),
  },
  sht_unlock: {
    on: 'any',
    doc: 'Unlocks a key as often as it was locked. False when this run of a handler does not have the lock.',
    signature: `${NAME}: boolean`,
    call: ({ state, scope }: HtableCall, name: string): boolean =>
      state.locks.unlock(state.item('sht_unlock', name).name, scope),
  },
  sht_locked: {
    on: 'any',
    doc: 'Does some work with a key, `table=>key`, locked, and unlocks it in any case. False, and nothing is done, when it could not be locked.',
    signature: '(name: string, work: () => void | Promise<void>): Promise<boolean>',
    call: async (
      { state, scope }: HtableCall,
      name: string,
      work: () => void | Promise<void>,
    ): Promise<boolean> => {
      const lock = state.item('sht_locked', name).name;
      if (!(await state.locks.lock(lock, scope))) return false;
      try {
        await work();
      } finally {
        state.locks.unlock(lock, scope);
      }
      return true;
    },
  },
} as const;
