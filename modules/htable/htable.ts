import { type Call, defineModule, errors } from '../../core/index.ts';
import { shtFunctions } from './functions.ts';
import { HtableState } from './htable-state.ts';
import { countMatcher } from './matching.ts';
import type { NameArgument, NamePart } from './name.ts';
import type {
  CountOutcome,
  ReadOutcome,
  RemoveOutcome,
  TableValue,
  TouchOutcome,
  WriteOutcome,
} from './outcome.ts';
import { params } from './params.ts';
import {
  checkedValue,
  type Counter,
  type SignalOptions,
  type Store,
  type WriteOptions,
  writeOutcome,
} from './store.ts';
import { NEVER } from './table.ts';

type HtableCall = Call<HtableState>;
type Parts = readonly NamePart[];

/** Values and counters in tables of this process. */
export const htable = defineModule({
  name: 'htable',
  doc: 'Keeps values and counters in tables of this process: what a single proxy needs no memcached for.',
  depends: [],
  params,
  init: ({ params: values, core, log }) => new HtableState(values, core, log),
  /** A table by its name, with the operations of the module memcached. */
  api: (state) => ({ table: (name: string): Store => state.store('htable', name) }),
  pseudoVariables: {
    $sht: {
      expands: true,
      doc: 'Value of `table=>key`; when it is not there `initval` of the table, else null. Write: stores a string or an integer; null removes.',
      async get(call: HtableCall, name: NameArgument, ...values: Parts): Promise<TableValue | null> {
        const { table, key } = await call.state.itemOf('$sht', call, name, values);
        return table.get(key) ?? table.definition.initval;
      },
      async set(call: HtableCall, value: TableValue | null, name: NameArgument, ...values: Parts) {
        const { table, key } = await call.state.itemOf('$sht', call, name, values);
        if (value === null) return table.delete(key) ? 'removed' : 'missing';
        return writeOutcome(table.set(key, checkedValue('$sht', value))).status;
      },
    },
    $shtex: {
      expands: true,
      doc: 'Seconds until `table=>key` ends; 0 when it does not, or is not there. Write: seconds that it lives from now; 0: for ever.',
      async get(call: HtableCall, name: NameArgument, ...values: Parts): Promise<number> {
        const { table, key } = await call.state.itemOf('$shtex', call, name, values);
        const endMs = table.endOf(key) ?? NEVER;
        return endMs === NEVER ? 0 : Math.ceil((endMs - call.state.clock.now()) / 1000);
      },
      async set(call: HtableCall, value: number, name: NameArgument, ...values: Parts) {
        const { table, key } = await call.state.itemOf('$shtex', call, name, values);
        if (!Number.isSafeInteger(value)) {
          throw errors.ERR_HTABLE_VALUE('$shtex', 'the lifetime', 'a number of seconds', String(value));
        }
        const endMs = value <= 0 ? NEVER : call.state.clock.now() + value * 1000;
        return table.touch(key, endMs) ? 'touched' : 'missing';
      },
    },
    $shtinc: {
      expands: true,
      doc: 'Adds 1 to `table=>key`, each time it is read, and gives the new value. Null, and nothing is created, when it is not there and the table has no `initval`, or when it is a string.',
      get: (call: HtableCall, name: NameArgument, ...values: Parts): Promise<number | bigint | null> =>
        stepped(call, '$shtinc', { name, values, step: 1 }),
    },
    $shtdec: {
      expands: true,
      doc: 'Takes 1 from `table=>key`, each time it is read, below 0 as well, and gives the new value. Null as for `$shtinc`.',
      get: (call: HtableCall, name: NameArgument, ...values: Parts): Promise<number | bigint | null> =>
        stepped(call, '$shtdec', { name, values, step: -1 }),
    },
    $shtcn: {
      expands: true,
      doc: 'How many keys of `table=>condition` there are: `~~regex`, `~%end`, `%~start`, `==text`, `**` for all; without any of these a regular expression.',
      async get(call: HtableCall, name: NameArgument, ...values: Parts): Promise<number> {
        const { table, key } = await call.state.itemOf('$shtcn', call, name, values);
        return table.countWhere(countMatcher('$shtcn', key, 'key'));
      },
    },
    $shtcv: {
      expands: true,
      doc: 'How many values of `table=>condition` there are: as `$shtcn` for strings, and `eqN` for the integer N.',
      async get(call: HtableCall, name: NameArgument, ...values: Parts): Promise<number> {
        const { table, key } = await call.state.itemOf('$shtcv', call, name, values);
        return table.countWhere(countMatcher('$shtcv', key, 'value'));
      },
    },
  },
  functions: {
    read: {
      on: 'any',
      doc: 'Reads a key of the first table.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<ReadOutcome>',
      call: ({ state }, key: string, options?: SignalOptions): Promise<ReadOutcome> =>
        state.firstStore('read').read(key, options),
    },
    write: {
      on: 'any',
      doc: 'Stores a string or an integer in the first table.',
      signature:
        '(key: string, value: TableValue, options?: { expire?: number; signal?: AbortSignal }): Promise<WriteOutcome>',
      call: ({ state }, key: string, value: TableValue, options?: WriteOptions): Promise<WriteOutcome> =>
        state.firstStore('write').write(key, value, options),
    },
    increment: {
      on: 'any',
      doc: 'Adds to a counter that is there, in the first table.',
      signature:
        '(key: string, n: number | bigint, options?: { signal?: AbortSignal }): Promise<CountOutcome>',
      call: ({ state }, key: string, n: number | bigint, options?: SignalOptions): Promise<CountOutcome> =>
        state.firstStore('increment').increment(key, n, options),
    },
    decrement: {
      on: 'any',
      doc: 'Subtracts from a counter that is there, not below 0, in the first table.',
      signature:
        '(key: string, n: number | bigint, options?: { signal?: AbortSignal }): Promise<CountOutcome>',
      call: ({ state }, key: string, n: number | bigint, options?: SignalOptions): Promise<CountOutcome> =>
        state.firstStore('decrement').decrement(key, n, options),
    },
    count: {
      on: 'any',
      doc: 'A counter of the first table that `add` creates when it is not there.',
      signature: '(key: string): Counter',
      call: ({ state }, key: string): Counter => state.firstStore('count').count(key),
    },
    touch: {
      on: 'any',
      doc: 'Gives a key of the first table another lifetime in seconds, and leaves its value alone.',
      signature: '(key: string, expire: number, options?: { signal?: AbortSignal }): Promise<TouchOutcome>',
      call: ({ state }, key: string, expire: number, options?: SignalOptions): Promise<TouchOutcome> =>
        state.firstStore('touch').touch(key, expire, options),
    },
    remove: {
      on: 'any',
      doc: 'Deletes a key of the first table.',
      signature: '(key: string, options?: { signal?: AbortSignal }): Promise<RemoveOutcome>',
      call: ({ state }, key: string, options?: SignalOptions): Promise<RemoveOutcome> =>
        state.firstStore('remove').remove(key, options),
    },
    table: {
      on: 'any',
      doc: 'The same seven functions for a table by its name: `ksr.htable.table("trunks").read(key)`.',
      signature: '(name: string): Store',
      call: ({ state }, name: string): Store => state.store('table', name),
    },
    ...shtFunctions,
  },
  start: (state) => state.start(),
  stop: (state) => state.stop(),
});

/** Kamailio's counting: by one, with the lifetime that the definition of the table gives. */
async function stepped(
  call: HtableCall,
  caller: string,
  { name, values, step }: { readonly name: NameArgument; readonly values: Parts; readonly step: 1 | -1 },
): Promise<number | bigint | null> {
  const { table, key } = await call.state.itemOf(caller, call, name, values);
  const before = table.get(key) ?? table.definition.initval;
  if (before === null || typeof before === 'string') return null;
  const value = typeof before === 'bigint' ? before + BigInt(step) : before + step;
  return table.set(key, value).status === 'stored' ? value : null;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    htable: typeof htable;
  }
}
