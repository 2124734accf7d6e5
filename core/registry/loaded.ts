import type { Logger } from '../log.ts';
import type { AnyModule, Call, FnDef, PvDef } from './module.ts';
import type { RouteKind, Scope } from './scope.ts';

/** A module with the state that its `init` returned. */
export interface Loaded {
  readonly module: AnyModule;
  readonly state: unknown;
  /** Adds `{ module: name }` to every line. */
  readonly log: Logger;
}

/** What a pseudo-variable or function of `loaded` receives in a run of a handler. */
export function callFor(loaded: Loaded, scope: Scope): Call<unknown> {
  return { msg: scope.msg, scope, state: loaded.state, log: loaded.log };
}

/** A pseudo-variable as it is called at run time: its own types are known to routes, not to the core. */
export interface LoadedVariable
  extends Pick<PvDef<unknown>, 'doc' | 'plain' | 'expands' | 'indexed' | 'parse'> {
  get(call: Call<unknown>, ...inner: readonly unknown[]): unknown;
  set?(call: Call<unknown>, value: unknown, ...inner: readonly unknown[]): unknown;
}

/** A function as it is called at run time. */
export interface LoadedFunction
  extends Pick<FnDef<unknown>, 'doc' | 'signature' | 'on' | 'routes' | 'expands' | 'choices'> {
  call(call: Call<unknown>, ...args: readonly unknown[]): unknown;
}

/** A module's pseudo-variables by name, `$` included. */
export function variablesOf(module: AnyModule): [string, LoadedVariable][] {
  return Object.entries<LoadedVariable>(module.pseudoVariables);
}

/** A module's functions by name. */
export function functionsOf(module: AnyModule): [string, LoadedFunction][] {
  return Object.entries<LoadedFunction>(module.functions);
}

/** Which handlers have a message that a function declared `on` it can work with. */
export const ROUTES_ON: Readonly<Record<LoadedFunction['on'], readonly RouteKind[]>> = {
  request: ['request', 'failure', 'branch'],
  reply: ['reply', 'onreply'],
  any: ['request', 'reply', 'onreply', 'failure', 'branch'],
};

/** The kinds of handler from which a function may be called. */
export function allowedRoutes(definition: LoadedFunction): readonly RouteKind[] {
  return definition.routes ?? ROUTES_ON[definition.on];
}
