import { resolve } from 'node:path';
import type { AnyModule } from '../registry/module.ts';
import type { ParamSchema } from '../registry/params.ts';
import type { LoadRequest } from '../registry/registry.ts';

/** Makes the names of files absolute, where a module declares a parameter as one: relative ones are taken from `folder`. */
export function resolvePaths(
  requests: readonly LoadRequest[],
  available: readonly AnyModule[],
  folder: string,
): LoadRequest[] {
  return requests.map((request) => {
    const declared: ParamSchema = available.find(({ name }) => name === request.name)?.params ?? {};
    const params = { ...request.params };
    for (const [name, value] of Object.entries(params)) {
      const isPath = Object.hasOwn(declared, name) && declared[name]?.isPath === true;
      if (isPath && typeof value === 'string' && value !== '') params[name] = resolve(folder, value);
    }
    return { ...request, params };
  });
}
