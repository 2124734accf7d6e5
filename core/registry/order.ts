interface Node {
  readonly name: string;
  readonly depends: readonly string[];
}

/** Why modules cannot be ordered. The `name` is the module at fault; a cycle's `path` begins and ends with it. */
export type OrderProblem =
  | { readonly kind: 'dependency'; readonly name: string; readonly missing: string }
  | { readonly kind: 'cycle'; readonly name: string; readonly path: readonly string[] };

/** Modules in the order in which they start, and everything that stands against it. */
export interface StartOrder<M> {
  readonly ordered: readonly M[];
  readonly problems: readonly OrderProblem[];
}

/**
 * Orders modules, each of another name, so that each comes after what it depends on; keeps the given order otherwise. The order
 * means something only when there are no problems.
 */
export function startOrder<M extends Node>(modules: readonly M[]): StartOrder<M> {
  const problems: OrderProblem[] = [];
  const byName = new Map(modules.map((module) => [module.name, module]));
  const ordered = new Set<M>();
  const path: string[] = [];
  const visit = (module: M): void => {
    if (ordered.has(module)) return;
    const start = path.indexOf(module.name);
    if (start >= 0) {
      problems.push({ kind: 'cycle', name: module.name, path: [...path.slice(start), module.name] });
      return;
    }
    path.push(module.name);
    for (const name of module.depends) {
      const dependency = byName.get(name);
      if (dependency === undefined) problems.push({ kind: 'dependency', name: module.name, missing: name });
      else visit(dependency);
    }
    path.pop();
    ordered.add(module);
  };
  for (const module of modules) visit(module);
  return { ordered: [...ordered], problems };
}
