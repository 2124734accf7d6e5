import type { AnyModule } from '../registry/module.ts';
import type { ParamSchema } from '../registry/params.ts';
import type { LoadRequest } from '../registry/registry.ts';
import type { ConfiguredModule } from './configuration.ts';
import { fitText } from './configuration-reader.ts';

/** Turns parameters whose text came from the environment or a file into numbers or booleans where their module declares such. */
export function fitSubstituted(
  requests: readonly ConfiguredModule[],
  available: readonly AnyModule[],
): LoadRequest[] {
  return requests.map((request) => {
    const declared: ParamSchema = available.find(({ name }) => name === request.name)?.params ?? {};
    const params = { ...request.params };
    for (const name of request.substituted) {
      const own = declared[name];
      const text = params[name];
      if (own !== undefined && typeof text === 'string') params[name] = fitText(own, text);
    }
    return { ...request, params };
  });
}
