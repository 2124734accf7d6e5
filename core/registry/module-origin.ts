import type { AnyModule } from './module.ts';

const files = new WeakMap<AnyModule, string>();

/** Remembers which file a module came from. */
export function noteOrigin(module: AnyModule, file: string): void {
  files.set(module, file);
}

/** Where a module comes from, for messages. */
export function originOf(module: AnyModule): string {
  const file = files.get(module);
  return file === undefined ? 'the built-in one' : `that of '${file}'`;
}
