import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeModule } from '../../core/registry/describe.ts';
import { param } from '../../core/registry/params.ts';
import { modulesSchema } from '../../core/registry/schema.ts';
import { moduleOf } from './fixtures.ts';

const cache = moduleOf('cache', {
  doc: 'A cache.',
  depends: ['pv'],
  params: {
    expire: param.int({ default: 10, min: 0, max: 99, unit: 's', doc: 'Lifetime.' }),
    mode: param.oneOf([0, 1], { default: 0, doc: 'Mode.' }),
    on: param.bool({ default: true, doc: 'Switch.' }),
    servers: param.string({ default: 'here', doc: 'Servers.', check: () => null }),
  },
  init: () => assert.fail('a declaration is read without running it'),
  pseudoVariables: {
    $ct: { doc: 'A value.', get: () => null, set: () => undefined },
    $now: { doc: 'The time.', plain: true, get: () => 0 },
  },
  functions: {
    keep: { doc: 'Keeps.', signature: '(key: string): boolean', on: 'request', call: () => true },
    look: {
      doc: 'Looks.',
      signature: '(): void',
      on: 'any',
      routes: ['reply', 'failure'],
      call: () => undefined,
    },
  },
});

test('describeModule: gives all that a module declares as plain data', () => {
  assert.deepEqual(describeModule(cache), {
    name: 'cache',
    doc: 'A cache.',
    depends: ['pv'],
    params: [
      {
        name: 'expire',
        doc: 'Lifetime.',
        default: 10,
        unit: 's',
        expected: 'an integer from 0 to 99 (s)',
      },
      { name: 'mode', doc: 'Mode.', default: 0, unit: '', expected: 'one of 0, 1' },
      { name: 'on', doc: 'Switch.', default: true, unit: '', expected: 'true or false' },
      { name: 'servers', doc: 'Servers.', default: 'here', unit: '', expected: 'a string' },
    ],
    variables: [
      { name: '$ct', doc: 'A value.', settable: true, parentheses: true },
      { name: '$now', doc: 'The time.', settable: false, parentheses: false },
    ],
    functions: [
      {
        name: 'keep',
        signature: '(key: string): boolean',
        doc: 'Keeps.',
        routes: ['request', 'failure', 'branch'],
      },
      { name: 'look', signature: '(): void', doc: 'Looks.', routes: ['reply', 'failure'] },
    ],
  });
});

test('modulesSchema: describes the parameters of each module', () => {
  assert.deepEqual(modulesSchema([cache, moduleOf('sl')]), {
    type: 'object',
    description: 'Modules to load, each with its parameters.',
    additionalProperties: false,
    properties: {
      cache: {
        type: ['object', 'null'],
        description: 'A cache.',
        additionalProperties: false,
        properties: {
          expire: { type: 'integer', minimum: 0, maximum: 99, description: 'Lifetime. (s)', default: 10 },
          mode: { type: 'number', enum: [0, 1], description: 'Mode.', default: 0 },
          on: {
            anyOf: [{ type: 'boolean' }, { type: 'number', enum: [0, 1] }],
            description: 'Switch.',
            default: true,
          },
          servers: { type: 'string', description: 'Servers.', default: 'here' },
        },
      },
      sl: {
        type: ['object', 'null'],
        description: 'The module sl.',
        additionalProperties: false,
        properties: {},
      },
    },
  });
});
