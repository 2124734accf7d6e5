import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exposition } from '../../core/main/exposition.ts';
import { Figures } from '../../core/registry/figures.ts';
import { parseDefinition } from '../../modules/htable/definition.ts';
import { declareFigures } from '../../modules/htable/figures.ts';
import { Table } from '../../modules/htable/table.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { scraped } from './scraped.ts';

test('figures of htable: items, bytes and writes refused, by table', async () => {
  const parsed = parseDefinition('calls=>size=4;');
  assert.ok(parsed.ok);
  const { definition } = parsed;
  const table = new Table({
    definition,
    maxItems: 2,
    maxBytes: 10_000,
    clock: new FakeClock(),
    onFull: () => undefined,
  });
  for (const key of ['a', 'b', 'c', 'd']) table.set(key, 1);
  const figures = new Figures();
  declareFigures(figures, () => [table]);
  const { value } = scraped(await new Exposition(figures, recordedLog()).text());
  const found = ['items', 'bytes', 'refused_total'].map((name) =>
    value(`kamaiki_htable_${name}{table="calls"}`),
  );
  assert.deepEqual(found, [2, table.bytes, 2]);
});
