import { z } from 'zod';
import { type Fields, isFields } from './fields.ts';
import { ROUTES_ON } from './loaded.ts';
import type { AnyModule } from './module.ts';
import { Secret } from './secret.ts';

/** Module names are keys of kamailio.yaml and members of `ksr`. */
const MODULE_NAME = /^[a-z][a-z0-9_]*$/;
const VARIABLE_NAME = /^\$[A-Za-z_][A-Za-z0-9_]*$/;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

const POSSIBLE_ROUTES = new Map<string, readonly unknown[]>(Object.entries(ROUTES_ON));

/** Whether a value has the outline of what `defineModule` returns; its parts are checked when it is loaded. */
export function isModuleDefinition(value: unknown): value is AnyModule {
  return (
    isFields(value) &&
    typeof value['name'] === 'string' &&
    typeof value['init'] === 'function' &&
    Array.isArray(value['depends']) &&
    isFields(value['params']) &&
    isFields(value['pseudoVariables']) &&
    isFields(value['functions'])
  );
}

/** What is wrong with a module's declaration, one sentence each; empty when it may be loaded. */
export function declarationFaults(module: AnyModule): string[] {
  const faults: string[] = [];
  if (!MODULE_NAME.test(module.name)) faults.push(`its name does not match ${MODULE_NAME.source}`);
  if (!isText(module.doc)) faults.push('it has no doc');
  const depends: readonly unknown[] = module.depends;
  if (!depends.every((name) => typeof name === 'string'))
    faults.push('depends holds something that is not a name');
  faults.push(...each(module.params, paramFaults));
  faults.push(...each(module.pseudoVariables, variableFaults));
  faults.push(...each(module.functions, functionFaults));
  return faults;
}

function each(entries: Fields, check: (name: string, entry: Fields) => string[]): string[] {
  return Object.entries(entries).flatMap(([name, entry]) => {
    if (!isFields(entry)) return [`${name} is not an object`];
    const missing = isText(entry['doc']) ? [] : [`${name} has no doc`];
    return [...missing, ...check(name, entry)];
  });
}

function paramFaults(name: string, entry: Fields): string[] {
  const schema = entry['schema'];
  if (!(schema instanceof z.ZodType)) return [`parameter ${name} is not made with param`];
  const initial = entry['default'];
  // A secret is what its schema makes of a text.
  if (schema.safeParse(initial instanceof Secret ? initial.reveal() : initial).success) return [];
  return [`the default of parameter ${name} is not ${String(entry['expected'])}`];
}

function variableFaults(name: string, entry: Fields): string[] {
  const faults: string[] = [];
  if (!VARIABLE_NAME.test(name))
    faults.push(`pseudo-variable ${name} does not match ${VARIABLE_NAME.source}`);
  if (typeof entry['get'] !== 'function') faults.push(`${name} has no get`);
  for (const optional of ['set', 'parse'])
    if (entry[optional] !== undefined && typeof entry[optional] !== 'function')
      faults.push(`${optional} of ${name} is not a function`);
  if (entry['plain'] === true && entry['parse'] !== undefined)
    faults.push(`${name} is plain, so it has no inner text to parse`);
  return faults;
}

function functionFaults(name: string, entry: Fields): string[] {
  const faults: string[] = [];
  if (!IDENTIFIER.test(name)) faults.push(`function ${name} does not match ${IDENTIFIER.source}`);
  if (typeof entry['call'] !== 'function') faults.push(`${name} has no call`);
  if (!isText(entry['signature'])) faults.push(`${name} has no signature`);
  const { on, routes, choices } = entry;
  if (choices !== undefined && !(Array.isArray(choices) && choices.every(isText)))
    faults.push(`choices of ${name} is not a list of texts`);
  const possible = typeof on === 'string' ? POSSIBLE_ROUTES.get(on) : undefined;
  if (possible === undefined) {
    faults.push(`${name} does not say on which messages it works`);
  } else if (routes !== undefined) {
    if (!Array.isArray(routes) || !routes.every((route: unknown) => possible.includes(route)))
      faults.push(`routes of ${name} may name ${possible.join(', ')}`);
  }
  return faults;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
