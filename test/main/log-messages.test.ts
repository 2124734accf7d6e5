import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../core/winston-log.ts';

const NOW = new Date('2026-01-31T12:00:00.000Z');

test('log: a message that is no text is printed all the same', async () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [undefined, 'undefined'],
    [5, '5'],
    [{ a: 1 }, '{"a":1}'],
    [new Error('no'), 'Error: no'],
  ];
  for (const [message, expected] of rows) {
    const sink = new PassThrough();
    const log = createLogger({ level: 'debug', format: 'pretty', sink, now: () => NOW });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as routes in JavaScript may do
    log.info(message as string);
    await log.close();
    assert.equal(String(sink.read()), `2026-01-31T12:00:00.000Z INFO   ${expected}\n`);
  }
});
