import { z } from 'zod';
import type { AnyModule } from './module.ts';
import type { Param, ParamSchema } from './params.ts';

/** A JSON schema (draft 2020-12, and draft-07 as well: only what both have is used). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Builds the schema of kamailio.yaml's `modules` from the declarations, so that editors complete and check the parameters. */
export function modulesSchema(modules: readonly AnyModule[]): JsonSchema {
  return {
    type: 'object',
    description: 'Modules to load, each with its parameters.',
    additionalProperties: false,
    properties: Object.fromEntries(modules.map((module) => [module.name, moduleSchema(module)])),
  };
}

function moduleSchema(module: AnyModule): JsonSchema {
  const params: ParamSchema = module.params;
  return {
    type: ['object', 'null'], // `sl:` alone loads it with its defaults
    description: module.doc,
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(params).map(([name, declared]) => [name, paramSchema(declared)]),
    ),
  };
}

function paramSchema(declared: Param): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(declared.schema, { io: 'input', unrepresentable: 'any' });
  const unit = declared.unit === '' || declared.unit === 'count' ? '' : ` (${declared.unit})`;
  return { ...schema, description: `${declared.doc}${unit}`, default: declared.default };
}
