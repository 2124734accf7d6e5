import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isModuleDefinition } from '../../core/registry/declaration.ts';
import type { AnyModule } from '../../core/registry/module.ts';
import { param } from '../../core/registry/params.ts';
import { load, mistakeLines, moduleOf } from './fixtures.ts';

const get = () => 1;
const fn = { doc: 'F.', signature: '(): void', on: 'any', call: () => undefined };

const FAULTS: readonly (readonly [string, Partial<AnyModule>, string])[] = [
  ['an upper case name', { name: 'Geo' }, 'its name does not match ^[a-z][a-z0-9_]*$'],
  ['no doc', { doc: '' }, 'it has no doc'],
  ['a dependency that is no name', { depends: [1] }, 'depends holds something that is not a name'],
  [
    'a variable without $',
    { pseudoVariables: { x: { doc: 'X.', get } } },
    'pseudo-variable x does not match ^\\$[A-Za-z_][A-Za-z0-9_]*$',
  ],
  ['a variable without doc', { pseudoVariables: { $x: { get } } }, '$x has no doc'],
  ['a variable without get', { pseudoVariables: { $x: { doc: 'X.' } } }, '$x has no get'],
  [
    'a set that is not a function',
    { pseudoVariables: { $x: { doc: 'X.', get, set: true } } },
    'set of $x is not a function',
  ],
  [
    'a parse on a plain variable',
    { pseudoVariables: { $x: { doc: 'X.', plain: true, get, parse: () => [] } } },
    '$x is plain, so it has no inner text to parse',
  ],
  ['a function without doc', { functions: { f: { ...fn, doc: undefined } } }, 'f has no doc'],
  [
    'a function without signature',
    { functions: { f: { ...fn, signature: undefined } } },
    'f has no signature',
  ],
  ['a function without call', { functions: { f: { ...fn, call: undefined } } }, 'f has no call'],
  ['a bare function', { functions: { f: () => 1 } }, 'f is not an object'],
  [
    'a function of unknown messages',
    { functions: { f: { ...fn, on: 'all' } } },
    'f does not say on which messages it works',
  ],
  [
    'a function for routes without its message',
    { functions: { f: { ...fn, on: 'request', routes: ['onreply'] } } },
    'routes of f may name request, failure, branch',
  ],
  [
    'choices that are no list of texts',
    { functions: { f: { ...fn, choices: ['a', 1] } } },
    'choices of f is not a list of texts',
  ],
  [
    'a function that is no member',
    { functions: { 'a-b': fn } },
    'function a-b does not match ^[A-Za-z_][A-Za-z0-9_]*$',
  ],
  ['a parameter made by hand', { params: { p: { doc: 'P.' } } }, 'parameter p is not made with param'],
  ['a parameter without doc', { params: { p: param.bool({ default: true, doc: '' }) } }, 'p has no doc'],
  [
    'a default out of its range',
    { params: { p: param.int({ default: 0, min: 1, unit: 's', doc: 'P.' }) } },
    'the default of parameter p is not an integer of at least 1 (s)',
  ],
];
for (const [name, parts, fault] of FAULTS) {
  test(`Registry.load: refuses a module with ${name}`, () => {
    const module = moduleOf('geo', parts);
    assert.deepEqual(
      mistakeLines(() => load([module])),
      [`ERR_MODULE_DECLARATION: module '${module.name}' is not declared properly: ${fault}`].concat(
        name.startsWith('a dependency')
          ? ["ERR_MODULE_DEPENDENCY: module 'geo' depends on '1', which is not loaded"]
          : [],
      ),
    );
  });
}

test('Registry.load: does not mind a malformed module that nobody wants', () => {
  assert.deepEqual(load([moduleOf('Geo'), moduleOf('pv')], [{ name: 'pv', params: {} }]).registry.names, [
    'pv',
  ]);
});

test('isModuleDefinition: knows a module by its outline', () => {
  assert.equal(isModuleDefinition(moduleOf('geo')), true);
  for (const other of [null, undefined, 1, 'geo', {}, { name: 'geo' }, { ...moduleOf('geo'), depends: 'sl' }])
    assert.equal(isModuleDefinition(other), false);
});
