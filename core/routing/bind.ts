import { errors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { allowedRoutes, callFor, functionsOf, type Loaded, variablesOf } from '../registry/loaded.ts';
import type { Call } from '../registry/module.ts';
import type { Scope } from '../registry/scope.ts';
import { referenceClass } from './references.ts';

/** The class of the contexts of one routes file: an instance is what a handler receives (`RouteContext`). */
export type ContextClass = new (scope: Scope, log: Logger) => Context;

/** What one run of a handler sees. `Calls` are made when a module is first touched, one for each. */
export abstract class Context {
  readonly msg: Scope['msg'];
  readonly log: Logger;
  readonly #scope: Scope;
  /** By the module's place among those of the routes. */
  readonly #calls: (Call<unknown> | undefined)[];
  #pv: object | undefined;
  #ksr: object | undefined;

  protected constructor(scope: Scope, log: Logger, calls: (Call<unknown> | undefined)[]) {
    this.msg = scope.msg;
    this.log = log;
    this.#scope = scope;
    this.#calls = calls;
  }

  get pv(): object {
    this.#pv ??= this.newPv();
    return this.#pv;
  }

  get ksr(): object {
    this.#ksr ??= this.newKsr();
    return this.#ksr;
  }

  protected abstract newPv(): object;
  protected abstract newKsr(): object;

  static callOf(context: Context, index: number, loaded: Loaded): Call<unknown> {
    context.#calls[index] ??= callFor(loaded, context.#scope);
    return context.#calls[index];
  }
}

/** Holds the context of the run; the members of `pv` and `ksr` are getters on subclasses. */
class Member {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  static contextOf(member: Member): Context {
    return member.#context;
  }
}

/** A module as it stands in `ksr`: its functions are methods of a subclass. */
class Namespace {
  readonly #call: Call<unknown>;

  constructor(call: Call<unknown>) {
    this.#call = call;
  }

  static callOf(namespace: Namespace): Call<unknown> {
    return namespace.#call;
  }
}

/**
 * Builds the class of contexts for routes that use these modules, once per routes file. All names are resolved here: a message costs
 * its context, one call for each module touched and one small object for each variable named, and no closure. What belongs to the modules
 * `unused` throws ERR_ROUTE_NOT_IN_USES: the types hide it, JavaScript does not.
 */
export function compileContext(loaded: readonly Loaded[], unused: readonly Loaded[] = []): ContextClass {
  class Pv extends Member {}
  class Ksr extends Member {}
  for (const [index, one] of loaded.entries()) {
    defineVariables(Pv.prototype, index, one);
    defineNamespace(Ksr.prototype, index, one);
  }
  for (const { module } of unused) {
    for (const [name] of variablesOf(module)) refuse(Pv.prototype, name, `pv.${name}`, module.name);
    refuse(Ksr.prototype, module.name, `ksr.${module.name}`, module.name);
  }
  const noCalls: readonly undefined[] = loaded.map(() => undefined);
  return class extends Context {
    constructor(scope: Scope, log: Logger) {
      super(scope, log, noCalls.slice()); // as long as it has to be: an array that grows takes more
    }
    protected override newPv(): object {
      return new Pv(this);
    }
    protected override newKsr(): object {
      return new Ksr(this);
    }
  };
}

function refuse(target: Member, name: string, written: string, module: string): void {
  Object.defineProperty(target, name, {
    get(): never {
      throw errors.ERR_ROUTE_NOT_IN_USES(written, module);
    },
  });
}

function defineVariables(target: Member, index: number, loaded: Loaded): void {
  for (const [name, definition] of variablesOf(loaded.module)) {
    const Ref = referenceClass(name, definition);
    const none: readonly unknown[] = [];
    Object.defineProperty(
      target,
      name,
      definition.plain === true
        ? {
            enumerable: true,
            get(this: Member) {
              return new Ref(Context.callOf(Member.contextOf(this), index, loaded), none);
            },
          }
        : {
            enumerable: true,
            value(this: unknown, ...inner: unknown[]) {
              if (!(this instanceof Member)) throw errors.ERR_ROUTE_DETACHED(name, `pv.${name}`);
              return new Ref(Context.callOf(Member.contextOf(this), index, loaded), inner);
            },
          },
    );
  }
}

function defineNamespace(target: Member, index: number, loaded: Loaded): void {
  const Functions = namespaceClass(loaded);
  Object.defineProperty(target, loaded.module.name, {
    enumerable: true,
    get(this: Member) {
      return new Functions(Context.callOf(Member.contextOf(this), index, loaded));
    },
  });
}

/** The types keep handlers from calling what does not work in them; JavaScript routes, and casts, meet the check here. */
function namespaceClass({ module }: Loaded): new (call: Call<unknown>) => Namespace {
  class Functions extends Namespace {}
  for (const [name, definition] of functionsOf(module)) {
    const allowed = allowedRoutes(definition);
    Object.defineProperty(Functions.prototype, name, {
      enumerable: true,
      value(this: unknown, ...args: unknown[]) {
        // As in `const { t_relay } = ksr.tm`: what it works on is held by the module in `ksr`.
        if (!(this instanceof Namespace))
          throw errors.ERR_ROUTE_DETACHED(name, `ksr.${module.name}.${name}(...)`);
        const call = Namespace.callOf(this);
        const { route } = call.scope;
        if (!allowed.includes(route))
          throw errors.ERR_ROUTE_FUNCTION(`${module.name}.${name}`, allowed.join(', '), route);
        return definition.call(call, ...args);
      },
    });
  }
  return Functions;
}
