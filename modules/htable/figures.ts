import type { MetricsService } from '../../core/index.ts';
import type { Table } from './table.ts';

/** Declares what the tables count. */
export function declareFigures(metrics: MetricsService, tables: () => Iterable<Table>): void {
  const read =
    (value: (table: Table) => number) =>
    (sample: (labels: { readonly table: string }, value: number) => void): void => {
      for (const table of tables()) sample({ table: table.definition.name }, value(table));
    };
  metrics.gauge({
    name: 'kamaiki_htable_items',
    help: 'Items in memory, those whose lifetime is over but that have not been cleared away included.',
    labels: ['table'],
    read: read(({ size }) => size),
  });
  metrics.gauge({
    name: 'kamaiki_htable_bytes',
    help: 'What the items take, about, in bytes.',
    labels: ['table'],
    read: read(({ bytes }) => bytes),
  });
  metrics.counter({
    name: 'kamaiki_htable_refused_total',
    help: 'Writes refused because the table was full.',
    labels: ['table'],
    read: read(({ refused }) => refused),
  });
}
