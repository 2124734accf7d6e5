import { errors, type Place, type ProxyError } from '../errors.ts';
import { declarationFaults } from './declaration.ts';
import { variablesOf } from './loaded.ts';
import type { AnyModule } from './module.ts';
import { originOf } from './module-origin.ts';
import { didYouMean } from './nearest.ts';
import { type OrderProblem, startOrder } from './order.ts';
import { type ParamSchema, readParam } from './params.ts';
import { shown } from './shown.ts';

/** A module that a user wants loaded, as kamailio.yaml names it. */
export interface LoadRequest {
  readonly name: string;
  /** modparam values as read; those left out take their defaults. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Where the module's name stands in the file. */
  readonly place?: Place | undefined;
  /** Where a parameter stands in the file, or a named part of one. */
  placeOf?(param: string, part?: string): Place | undefined;
  /** How the file writes a value that came from elsewhere, such as the environment; undefined for others. Shown in place of what may be a secret. */
  writtenOf?(param: string): unknown;
}

/** A module that passed all checks, with the values of all of its parameters. */
export interface Checked {
  readonly module: AnyModule;
  readonly params: Readonly<Record<string, unknown>>;
  readonly place: Place | undefined;
  /** Where a parameter stands in the file; the module where it is left out. */
  readonly placeOf: (param: string) => Place | undefined;
}

/** Modules in start order; they may be initialised only when there are no mistakes. */
export interface LoadChecks {
  readonly checked: readonly Checked[];
  readonly mistakes: readonly ProxyError[];
}

/** Checks what is wanted against what there is, and finds every mistake rather than the first. Runs nothing of a module. */
export function checkRequests(available: readonly AnyModule[], wanted: readonly LoadRequest[]): LoadChecks {
  const mistakes: ProxyError[] = [];
  const known = indexByName(available, mistakes);
  const checked = new Map<string, Checked>();
  for (const request of wanted) {
    const module = known.get(request.name);
    if (module === undefined) {
      mistakes.push(
        errors.ERR_MODULE_UNKNOWN.at(request.place, request.name, didYouMean(request.name, known.keys())),
      );
    } else if (checked.has(request.name)) {
      mistakes.push(errors.ERR_MODULE_DUPLICATE.at(request.place, request.name));
    } else {
      checked.set(request.name, checkOne(module, request, mistakes));
    }
  }

  const { ordered, problems } = startOrder([...checked.values()].map(({ module }) => module));
  for (const problem of problems) mistakes.push(orderError(problem, checked.get(problem.name)?.place));
  const inOrder = ordered.map((module) => checked.get(module.name)).filter((one) => one !== undefined);
  checkVariables(inOrder, mistakes);
  return { checked: inOrder, mistakes };
}

function indexByName(available: readonly AnyModule[], mistakes: ProxyError[]): Map<string, AnyModule> {
  const known = new Map<string, AnyModule>();
  for (const module of new Set(available)) {
    const other = known.get(module.name);
    if (other === undefined) known.set(module.name, module);
    else mistakes.push(errors.ERR_MODULE_NAME_TAKEN(module.name, originOf(other), originOf(module)));
  }
  return known;
}

function checkOne(module: AnyModule, request: LoadRequest, mistakes: ProxyError[]): Checked {
  const faults = declarationFaults(module);
  for (const fault of faults)
    mistakes.push(errors.ERR_MODULE_DECLARATION.at(request.place, module.name, fault));
  // Values mean nothing against parameters that are not declared properly.
  const params = faults.length > 0 ? {} : readParams(module, request, mistakes);
  const placeOf = (param: string): Place | undefined => request.placeOf?.(param) ?? request.place;
  return { module, params, place: request.place, placeOf };
}

function readParams(module: AnyModule, request: LoadRequest, mistakes: ProxyError[]) {
  const schema: ParamSchema = module.params;
  const placeOf = (name: string, part?: string): Place | undefined =>
    request.placeOf?.(name, part) ?? request.place;
  for (const name of Object.keys(request.params)) {
    if (Object.hasOwn(schema, name)) continue;
    const hint = didYouMean(name, Object.keys(schema));
    mistakes.push(errors.ERR_PARAM_UNKNOWN.at(placeOf(name), module.name, name, hint));
  }
  const values: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(schema)) {
    const given = Object.hasOwn(request.params, name) ? request.params[name] : undefined;
    const result = readParam(declared, given);
    if (result.ok) {
      values[name] = result.value;
      continue;
    }
    const written = request.writtenOf?.(name);
    for (const { part, ...fault } of result.parts ?? [result]) {
      const { found, why } = written === undefined ? fault : { found: shown(written), why: '' };
      const full = part === undefined ? name : `${name}.${part}`;
      mistakes.push(
        errors.ERR_PARAM_VALUE.at(placeOf(name, part), module.name, full, declared.expected, found, why),
      );
    }
  }
  return values;
}

function orderError(problem: OrderProblem, place: Place | undefined): ProxyError {
  return problem.kind === 'cycle'
    ? errors.ERR_MODULE_CYCLE.at(place, problem.path.join(' -> '))
    : errors.ERR_MODULE_DEPENDENCY.at(place, problem.name, problem.missing);
}

function checkVariables(checked: readonly Checked[], mistakes: ProxyError[]): void {
  const owners = new Map<string, string>();
  for (const { module, place } of checked) {
    for (const [name] of variablesOf(module)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, module.name);
      else mistakes.push(errors.ERR_PV_DUPLICATE.at(place, module.name, name, owner));
    }
  }
}
