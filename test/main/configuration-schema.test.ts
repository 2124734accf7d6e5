import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineModule, param } from '../../core/index.ts';
import {
  configurationSchema,
  LIMIT_KEYS,
  LISTEN_KEYS,
  LOG_KEYS,
  TOP_KEYS,
} from '../../core/main/configuration-keys.ts';
import { DNS_KEYS } from '../../core/main/dns-keys.ts';
import { TCP_KEYS, TLS_KEYS } from '../../core/main/stream-keys.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: { readonly anyOf: readonly Schema[] };
}

const sample = defineModule({
  name: 'sample',
  doc: 'For tests.',
  depends: [],
  params: {
    count: param.int({ default: 1, min: 0, unit: 'count', doc: 'A number.' }),
    name: param.string({ default: '', doc: 'A text.' }),
    on: param.bool({ default: false, doc: 'A switch.' }),
  },
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

test('schema: knows the keys that are read, and the parameters of the modules', () => {
  const schema: Schema = configurationSchema([sample]);
  const properties = schema.properties ?? {};
  assert.deepEqual(Object.keys(properties), Object.keys(TOP_KEYS));
  assert.deepEqual(Object.keys(properties['log']?.properties ?? {}), Object.keys(LOG_KEYS));
  assert.deepEqual(Object.keys(properties['limits']?.properties ?? {}), Object.keys(LIMIT_KEYS));
  assert.deepEqual(Object.keys(properties['tcp']?.properties ?? {}), Object.keys(TCP_KEYS));
  assert.deepEqual(Object.keys(properties['dns']?.properties ?? {}), Object.keys(DNS_KEYS));
  assert.deepEqual(Object.keys(properties['tls']?.properties ?? {}), [
    ...Object.keys(TLS_KEYS),
    'server_names',
  ]);
  assert.deepEqual(
    Object.keys(properties['listen']?.items?.anyOf[1]?.properties ?? {}),
    Object.keys(LISTEN_KEYS),
  );
  assert.deepEqual(Object.keys(properties['modules']?.properties?.['sample']?.properties ?? {}), [
    'count',
    'name',
    'on',
  ]);
  assert.ok(Object.values(properties).every(({ description }) => description !== undefined));
});
