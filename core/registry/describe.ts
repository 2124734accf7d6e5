import { allowedRoutes, functionsOf, variablesOf } from './loaded.ts';
import type { AnyModule } from './module.ts';
import type { ParamSchema } from './params.ts';
import type { RouteKind } from './scope.ts';

/** A parameter as documentation shows it. */
interface ParamDescription {
  readonly name: string;
  readonly doc: string;
  readonly default: unknown;
  /** 's', 'ms', 'bytes', 'count'; '' for what is not a number. */
  readonly unit: string;
  /** What a value must be: "an integer from 0 to 255 (s)". */
  readonly expected: string;
}

/** A pseudo-variable as documentation shows it. */
interface VariableDescription {
  /** With its `$`. */
  readonly name: string;
  readonly doc: string;
  readonly settable: boolean;
  /** Whether it is written with parentheses: `$mct(key)`. */
  readonly parentheses: boolean;
}

/** A function as documentation shows it. */
interface FunctionDescription {
  readonly name: string;
  /** Arguments and result: `(code: number, reason?: string): boolean`. */
  readonly signature: string;
  readonly doc: string;
  /** The kinds of handler from which it may be called. */
  readonly routes: readonly RouteKind[];
}

/** All that a module declares, as plain data. */
export interface ModuleDescription {
  readonly name: string;
  readonly doc: string;
  readonly depends: readonly string[];
  readonly params: readonly ParamDescription[];
  readonly variables: readonly VariableDescription[];
  readonly functions: readonly FunctionDescription[];
}

/** Describes a module from its declaration, without running any of it; everything in the order of the declaration. */
export function describeModule(module: AnyModule): ModuleDescription {
  const params: ParamSchema = module.params;
  return {
    name: module.name,
    doc: module.doc,
    depends: module.depends,
    params: Object.entries(params).map(([name, declared]) => ({
      name,
      doc: declared.doc,
      default: declared.default,
      unit: declared.unit,
      expected: declared.expected,
    })),
    variables: variablesOf(module).map(([name, definition]) => ({
      name,
      doc: definition.doc,
      settable: 'set' in definition,
      parentheses: definition.plain !== true,
    })),
    functions: functionsOf(module).map(([name, definition]) => ({
      name,
      signature: definition.signature,
      doc: definition.doc,
      routes: allowedRoutes(definition),
    })),
  };
}
