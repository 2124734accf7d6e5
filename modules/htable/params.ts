import { param } from '../../core/index.ts';
import type { Param } from '../../core/index.ts';
import { z } from 'zod';
import { MAX_MAX_ITEMS, parseDefinition } from './definition.ts';

/** What is wrong with the definitions, else null. */
function definitionsProblem(texts: readonly string[]): string | null {
  const names = new Set<string>();
  for (const text of texts) {
    const parsed = parseDefinition(text);
    if (!parsed.ok) return `${JSON.stringify(text)}: ${parsed.reason}`;
    const { name } = parsed.definition;
    if (names.has(name)) return `the table ${name} is defined twice`;
    names.add(name);
  }
  return null;
}

const definitions = z
  .union([z.string().transform((text) => [text]), z.array(z.string())])
  .check((context) => {
    const message = definitionsProblem(context.value);
    if (message !== null) context.issues.push({ code: 'custom', message, input: context.value });
  })
  .default([]);

const htable: Param<readonly string[]> = {
  schema: definitions,
  default: [],
  unit: '',
  doc: 'Tables, each as `name=>size=8;autoexpire=300;initval=0;updateexpire=1;max_items=5000`, where all but the name may be left out. One text, or a list.',
  expected: 'the definition of a table, or a list of them',
};

/** The parameters of the module. */
export const params = {
  htable,
  max_items: param.int({
    default: 100_000,
    min: 1,
    max: MAX_MAX_ITEMS,
    unit: 'count',
    doc: 'Items that a table takes, unless its definition says `max_items`. A new one that finds no room is refused.',
  }),
  max_bytes: param.int({
    default: 67_108_864,
    min: 1024,
    max: 4_294_967_296,
    unit: 'bytes',
    doc: 'Keys and values that a table takes together. What would need more is refused.',
  }),
  timer_interval: param.int({
    default: 20,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'How often items whose lifetime is over are cleared away. They are not to be seen any more before that.',
  }),
  lock_wait: param.int({
    default: 1000,
    min: 1,
    max: 60_000,
    unit: 'ms',
    doc: 'How long `sht_lock` waits for a key that another handler has locked.',
  }),
  lock_time: param.int({
    default: 5000,
    min: 1,
    max: 60_000,
    unit: 'ms',
    doc: 'How long a key stays locked at most, so that a handler that failed or forgot to unlock it holds up the others no longer than that.',
  }),
} as const;
