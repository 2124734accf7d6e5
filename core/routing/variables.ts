import { errors } from '../errors.ts';
import { type Loaded, type LoadedVariable, variablesOf } from '../registry/loaded.ts';
import { didYouMean } from '../registry/nearest.ts';
import { excerpt } from '../registry/shown.ts';

/** A pseudo-variable with the module that it belongs to. */
export interface Variable {
  readonly name: string;
  readonly loaded: Loaded;
  readonly definition: LoadedVariable;
}

/** The pseudo-variables of all loaded modules, by name. */
export class Variables {
  readonly #byName = new Map<string, Variable>();

  constructor(loaded: readonly Loaded[]) {
    for (const one of loaded) {
      for (const [name, definition] of variablesOf(one.module))
        this.#byName.set(name, { name, loaded: one, definition });
    }
  }

  /** @throws ERR_PV_UNKNOWN with the nearest name. */
  find(name: string): Variable {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw errors.ERR_PV_UNKNOWN(excerpt(name), didYouMean(name, this.#byName.keys()));
  }
}
