import assert from 'node:assert/strict';
import { type ParamValues, readParam } from '../../core/registry/params.ts';
import { params } from '../../modules/memcached/params.ts';

/** The values of the module's parameters when kamailio.yaml gives none. */
export function defaultParams(): ParamValues<typeof params> {
  const values = Object.entries(params).map(([name, declared]) => {
    const result = readParam(declared, undefined);
    assert.ok(result.ok, name);
    return [name, result.value];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has been read by its own declaration
  return Object.fromEntries(values) as ParamValues<typeof params>;
}
