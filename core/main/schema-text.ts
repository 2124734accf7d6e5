import type { AnyModule } from '../registry/module.ts';
import { configurationSchema } from './configuration-keys.ts';

/** The JSON schema of kamailio.yaml as `kamaiki schema` prints it, and as it stands in docs/kamailio.schema.json. */
export function schemaText(modules: readonly AnyModule[]): string {
  return `${JSON.stringify(configurationSchema(modules), null, 2)}\n`;
}
