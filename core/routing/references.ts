import { errors } from '../errors.ts';
import type { LoadedVariable } from '../registry/loaded.ts';
import type { Call } from '../registry/module.ts';

/** A pseudo-variable in a handler, `pv.$ru` or `pv.$mct('key')`, until it is read or set. */
abstract class Reference {
  protected readonly call: Call<unknown>;
  protected readonly inner: readonly unknown[];

  constructor(call: Call<unknown>, inner: readonly unknown[]) {
    this.call = call;
    this.inner = inner;
  }

  abstract get(): unknown;
}

/** Builds the class of references to one variable. The types hide the `set` of one that can only be read; in JavaScript it throws ERR_PV_READ_ONLY. */
export function referenceClass(
  name: string,
  definition: LoadedVariable,
): new (
  call: Call<unknown>,
  inner: readonly unknown[],
) => Reference {
  class Ref extends Reference {
    override get(): unknown {
      return definition.get(this.call, ...this.inner);
    }
  }
  if (definition.set === undefined) {
    // Not a class of its own, which would make each reference dearer.
    Object.defineProperty(Ref.prototype, 'set', { value: () => refuseToSet(name) });
    return Ref;
  }
  return class extends Ref {
    set(value: unknown): unknown {
      return definition.set?.(this.call, value, ...this.inner);
    }
  };
}

function refuseToSet(name: string): never {
  throw errors.ERR_PV_READ_ONLY(name);
}
