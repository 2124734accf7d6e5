import type { Logger } from '../log.ts';
import type { SipRequest, SipResponse } from '../sip/message.ts';
import type { ParamSchema, ParamValues } from './params.ts';
import type { RouteKind, Scope } from './scope.ts';
import type { CoreServices } from './services.ts';

/**
 * Index of modules by name. Every module adds itself by declaration merging:
 *
 *     declare module '../../core/registry/module.ts' {
 *       interface ModuleRegistry { memcached: typeof memcached }
 *     }
 *
 * (a module outside the tree writes `declare module 'kamaiki'`).
 */
export interface ModuleRegistry {}

/** The names of all modules known to the type checker. */
export type ModuleName = Extract<keyof ModuleRegistry, string>;

/** What a pseudo-variable or function receives: the message in hand, the run of the handler, the module's own state. */
export interface Call<State, Msg = SipRequest | SipResponse> {
  readonly msg: Msg;
  readonly scope: Scope;
  readonly state: State;
  readonly log: Logger;
}

/** A pseudo-variable. `inner` is what stands between the parentheses of `$mct(...)`; a plain one has none. */
export interface PvDef<State> {
  readonly doc: string;
  /** Set on `$ru` and its like, which take no parentheses. */
  readonly plain?: true;
  /**
   * Set where routes name pseudo-variables in the constant parts of a tagged template: `` $mct`call::$ci` ``. A plain string is taken as it
   * stands then, and one that names a variable is refused when the routes are loaded.
   */
  readonly expands?: true;
  /** Set where text may name one of several by a whole number: in `$(hdr(Via)[-1])` it comes behind the other inner arguments. */
  readonly indexed?: true;
  /**
   * Turns inner text, expanded, into the inner arguments of `get` and `set` where the variable is named in text: `$mct(key=>60)`. Without
   * it they get the text as their only one. What it throws is reported as a fault of the text.
   */
  parse?(inner: string): readonly unknown[];
  get(call: Call<State>, ...inner: never[]): unknown;
  set?(call: Call<State>, value: never, ...inner: never[]): unknown;
}

/** Handlers whose message is a request. */
export type RequestRoute = 'request' | 'failure' | 'branch';

interface FnDoc {
  readonly doc: string;
  /** Arguments and result as TypeScript would write them: `(code: number, reason?: string): boolean`. */
  readonly signature: string;
  /** Set where its texts are formats, with pseudo-variables in them: plain ones in a handler are checked when the routes are loaded. */
  readonly expands?: true;
  /** What its first argument may be where others follow: a plain text in a handler is checked when the routes are loaded. */
  readonly choices?: readonly string[];
}
/** A function for handlers. `on` names the messages it works on, and so the type of `msg`; `routes` narrows it to some handlers. */
export type FnDef<State> =
  | (FnDoc & {
      readonly on: 'request';
      readonly routes?: readonly RequestRoute[];
      call(call: Call<State, SipRequest>, ...args: never[]): unknown;
    })
  | (FnDoc & {
      readonly on: 'reply';
      readonly routes?: readonly ('reply' | 'onreply')[];
      call(call: Call<State, SipResponse>, ...args: never[]): unknown;
    })
  | (FnDoc & {
      readonly on: 'any';
      readonly routes?: readonly RouteKind[];
      call(call: Call<State>, ...args: never[]): unknown;
    });

/** What `init` receives. `deps` holds the API of the modules named in `depends`, and of no others. */
export interface InitContext<S extends ParamSchema, D extends string> {
  readonly params: ParamValues<S>;
  readonly log: Logger;
  readonly core: CoreServices;
  readonly deps: { readonly [N in D]: N extends ModuleName ? ApiOf<ModuleRegistry[N]> : unknown };
}

/** A module as it is declared: a record that can be read without running anything. */
export interface ModuleDefinition<
  N extends string,
  D extends string,
  S extends ParamSchema,
  State,
  Api,
  V,
  F,
> {
  readonly name: N;
  /** One sentence: what the module is for. */
  readonly doc: string;
  readonly depends: readonly D[];
  readonly params: S;
  /** Creates the state. Opens no socket and starts no timer: `start` does. */
  init(ctx: InitContext<S, D>): State;
  /** What modules that depend on this one may call. */
  api?(state: State): Api;
  readonly pseudoVariables: V;
  readonly functions: F;
  start?(state: State): Promise<void> | void;
  stop?(state: State): Promise<void> | void;
}

/**
 * Declares a module. It only returns its argument: the types are the point.
 *
 * Write `init` before `pseudoVariables` and `functions`: TypeScript infers `State` from it, left to right.
 */
export function defineModule<
  const N extends string,
  const D extends ModuleName,
  const S extends ParamSchema,
  State,
  Api,
  const V,
  const F,
>(
  definition: ModuleDefinition<
    N,
    D,
    S,
    State,
    Api,
    // Not constraints of V and F: a constraint would not see the State inferred from `init`.
    V & Readonly<Record<`$${string}`, PvDef<State>>>,
    F & Readonly<Record<string, FnDef<State>>>
  >,
): ModuleDefinition<N, D, S, State, Api, V, F> {
  return definition;
}

/** A module of any type, as the registry holds it. */
// oxlint-disable-next-line typescript/no-explicit-any -- the registry holds modules of every state and parameter type
export type AnyModule = ModuleDefinition<string, any, any, any, any, any, any>;

/** What a module offers to those that depend on it. */
export type ApiOf<M> = M extends { api?(state: never): infer A } ? A : never;

/** Whether function `F` may be called from handlers of kind `K`. */
type Callable<F, K extends RouteKind> = F extends { readonly routes: readonly (infer R)[] }
  ? K extends R
    ? true
    : false
  : F extends { readonly on: 'request' }
    ? K extends RequestRoute
      ? true
      : false
    : F extends { readonly on: 'reply' }
      ? K extends 'reply' | 'onreply'
        ? true
        : false
      : true;

/** The names of the handlers a routes file defines, by kind; a kind that is left out has none. */
export interface HandlerNames {
  readonly onreply?: string;
  readonly failure?: string;
  readonly branch?: string;
}

declare const handlerKind: unique symbol;
/** An argument that names a handler of the same routes file (`t_on_failure('busy')`): routes see the names they defined. */
export type HandlerName<K extends keyof HandlerNames> = string & { readonly [handlerKind]?: K };

type ArgOf<A, N extends HandlerNames> = A extends {
  readonly [handlerKind]?: infer K extends keyof HandlerNames;
}
  ? K extends keyof N
    ? N[K]
    : never
  : A;

/** A function as routes see it: the leading `Call` is filled in by the core. */
type Bound<F, N extends HandlerNames> = F extends { call(call: never, ...args: infer A): infer R }
  ? (...args: { [I in keyof A]: ArgOf<A[I], N> }) => R
  : never;

/** A module's functions as handlers of kind `K` see them. */
export type FunctionsOf<M, K extends RouteKind, N extends HandlerNames = object> = M extends {
  readonly functions: infer F;
}
  ? { readonly [P in keyof F as Callable<F[P], K> extends true ? P : never]: Bound<F[P], N> }
  : never;

type Ref<P> = (P extends { get(call: never, ...inner: never[]): infer R } ? { get(): R } : never) &
  (P extends { set(call: never, value: infer W, ...inner: never[]): infer X }
    ? { set(value: W): X }
    : object);

/** A pseudo-variable as routes see it: `$ru` is a reference, `$mct('key')` returns one. */
export type PvRef<P> = P extends { readonly plain: true }
  ? Ref<P>
  : P extends { get(call: never, ...inner: infer A): unknown }
    ? (...inner: A) => Ref<P>
    : never;

/** A module's pseudo-variables as routes see them. */
export type PvOf<M> = M extends { readonly pseudoVariables: infer V }
  ? { readonly [K in keyof V]: PvRef<V[K]> }
  : never;

type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never;

/**
 * What a handler receives: only what the modules in `uses` export.
 *
 * A function of your own takes the handler's context where it asks for some of its modules. One that arms handlers says which: only routes
 * that have them can call it.
 *
 * @example
 * async function toGateway({ pv, ksr }: RouteContext<'pv' | 'tm', 'request', { failure: 'busy' }>) {
 *   pv.$du.set('sip:10.0.0.7');
 *   ksr.tm.t_on_failure('busy');
 *   await ksr.tm.t_relay();
 * }
 */
export interface RouteContext<U extends ModuleName, K extends RouteKind, N extends HandlerNames = object> {
  readonly msg: K extends RequestRoute ? SipRequest : SipResponse;
  readonly log: Logger;
  readonly pv: UnionToIntersection<PvOf<ModuleRegistry[U]>>;
  readonly ksr: { readonly [M in U]: FunctionsOf<ModuleRegistry[M], K, N> };
}
