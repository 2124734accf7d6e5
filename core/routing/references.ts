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

/** Builds the class of references to one variable. It has a `set` only when the variable can be set. */
export function referenceClass(
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
  if (definition.set === undefined) return Ref;
  return class extends Ref {
    set(value: unknown): unknown {
      return definition.set?.(this.call, value, ...this.inner);
    }
  };
}
