import {
  type Call,
  type Clock,
  type CoreServices,
  errors,
  type Logger,
  type ParamValues,
  type Timer,
} from '../../core/index.ts';
import { parseDefinition } from './definition.ts';
import { declareFigures } from './figures.ts';
import { Locks } from './locks.ts';
import { itemName, type NameArgument, type NamePart, splitName } from './name.ts';
import type { params } from './params.ts';
import { Store } from './store.ts';
import { Table } from './table.ts';

/** Pause between two slices of clearing away, ms. */
const SLICE_PAUSE_MS = 10;

/** A key and the table that it belongs to. */
export interface Item {
  readonly table: Table;
  readonly key: string;
  /** `table=>key`, as locks are named. */
  readonly name: string;
}

/** The module's state: its tables, its locks, and the timer that clears away what is over. */
export class HtableState {
  readonly locks: Locks;
  readonly clock: Clock;
  readonly #core: CoreServices;
  readonly #tables = new Map<string, { readonly table: Table; readonly store: Store }>();
  readonly #intervalMs: number;
  /** Tables of which it has been said that they are full, until there is room again. */
  readonly #saidFull = new Set<string>();
  #timer: Timer | null = null;
  #sweeping: Iterator<void> | null = null;

  constructor(values: ParamValues<typeof params>, core: CoreServices, log: Logger) {
    this.#core = core;
    this.clock = core.clock;
    this.#intervalMs = values.timer_interval * 1000;
    this.locks = new Locks({
      clock: core.clock,
      waitMs: values.lock_wait,
      heldMs: values.lock_time,
      onOverdue: (name) =>
        log.warn(`${JSON.stringify(name)} was locked for ${values.lock_time} ms and is unlocked now`),
    });
    for (const text of values.htable) {
      const parsed = parseDefinition(text);
      if (!parsed.ok) throw new Error(`the parameter htable was not checked: ${parsed.reason}`);
      const { definition } = parsed;
      const table = new Table({
        definition,
        maxItems: definition.maxItems ?? values.max_items,
        maxBytes: values.max_bytes,
        clock: core.clock,
        onFull: (reason) => {
          if (this.#saidFull.has(definition.name)) return;
          this.#saidFull.add(definition.name);
          log.warn(`${reason}; new ones are refused. Said once until there is room.`);
        },
      });
      this.#tables.set(definition.name, { table, store: new Store(table, core.clock) });
    }
    declareFigures(core.metrics, () => Array.from(this.#tables.values(), ({ table }) => table));
  }

  start(): void {
    this.#timer = this.clock.setTimer(this.#intervalMs, () => this.#sweep());
  }

  stop(): void {
    this.#timer?.cancel();
    this.locks.stop();
  }

  /** @throws ERR_HTABLE_NAME when there is no such table. */
  table(caller: string, name: string): Table {
    return this.#found(caller, name).table;
  }

  /** @throws ERR_HTABLE_NAME when there is no such table. */
  store(caller: string, name: string): Store {
    return this.#found(caller, name).store;
  }

  /** The table that functions without a table's name work on: the first that is defined. @throws ERR_HTABLE_NAME when there is none. */
  firstStore(caller: string): Store {
    for (const { store } of this.#tables.values()) return store;
    throw errors.ERR_HTABLE_NAME(caller, 'no table is defined: see the parameter htable');
  }

  /** What `table=>key` names. @throws ERR_HTABLE_NAME. */
  item(caller: string, text: string): Item {
    const { table, key } = splitName(caller, text);
    return { table: this.table(caller, table), key, name: `${table}=>${key}` };
  }

  /** What the arguments of a variable name. Rejects with ERR_HTABLE_NAME, and what expanding throws. */
  async itemOf(
    caller: string,
    { scope }: Call<HtableState>,
    name: NameArgument,
    values: readonly NamePart[],
  ): Promise<Item> {
    const { table, key } = await itemName(caller, { formats: this.#core.formats, scope, name, values });
    return { table: this.table(caller, table), key, name: `${table}=>${key}` };
  }

  #found(caller: string, name: string): { readonly table: Table; readonly store: Store } {
    const found = this.#tables.get(name);
    if (found !== undefined) return found;
    const defined =
      this.#tables.size === 0 ? 'none is defined' : `there are ${[...this.#tables.keys()].join(', ')}`;
    throw errors.ERR_HTABLE_NAME(caller, `there is no table ${JSON.stringify(name)}: ${defined}`);
  }

  /** Clears away one slice, and comes back for the next one, or for the next time. */
  #sweep(): void {
    this.#sweeping ??= this.#sweepAll();
    const over = this.#sweeping.next().done === true;
    if (over) {
      this.#sweeping = null;
      this.#saidFull.clear();
    }
    this.#timer = this.clock.setTimer(over ? this.#intervalMs : SLICE_PAUSE_MS, () => this.#sweep());
  }

  *#sweepAll(): Generator<void> {
    for (const { table } of this.#tables.values()) yield* table.sweep();
  }
}
