import { type Dirent, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { errors, type Place, ProxyError, ProxyErrors } from '../errors.ts';
import { isModuleDefinition } from './declaration.ts';
import type { AnyModule } from './module.ts';
import { noteOrigin } from './module-origin.ts';
import { isFile, isFolder } from './on-disk.ts';
import { packageFolder, packageMain } from './package-main.ts';
import { messageOf } from './shown.ts';

/** Loads a source file, TypeScript too, and gives its exports. */
export type ImportModule = (file: string) => Promise<Readonly<Record<string, unknown>>>;

interface MpathOptions {
  /** Where an entry, by its index, stands in kamailio.yaml. */
  placeOf?(index: number): Place | undefined;
}

/** In this order: a source beside its build output is the one that is meant. */
const EXTENSIONS = ['.ts', '.js', '.mjs'] as const;

/**
 * Loads the modules that `mpath` names. An entry is a folder (a module itself, or one module in each sub-folder: `NAME/NAME.ts`,
 * `NAME/index.ts`, the same with .js and .mjs, or what its package.json names) or an npm package that can be found from `baseDir`. Every
 * export that is a module definition counts, each once.
 *
 * @throws ProxyErrors with an ERR_MPATH_ENTRY or ERR_MPATH_IMPORT for each mistake.
 */
export async function loadModulesFrom(
  entries: readonly string[],
  baseDir: string,
  importModule: ImportModule,
  options: MpathOptions = {},
): Promise<AnyModule[]> {
  const found = new Set<AnyModule>();
  const mistakes: ProxyError[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = options.placeOf?.(index);
    const files = filesOf(entry, baseDir);
    if (typeof files === 'string') {
      mistakes.push(errors.ERR_MPATH_ENTRY.at(place, entry, files));
      continue;
    }
    for (const file of files) {
      try {
        for (const module of definitionsIn(await importModule(file), entry, file, place)) {
          noteOrigin(module, file);
          found.add(module);
        }
      } catch (cause) {
        mistakes.push(importError(cause, entry, file, place));
      }
    }
  }
  if (mistakes.length > 0) throw new ProxyErrors(mistakes);
  return [...found];
}

function definitionsIn(
  exported: Readonly<Record<string, unknown>>,
  entry: string,
  file: string,
  place: Place | undefined,
): AnyModule[] {
  const definitions = Object.values(exported).filter(isModuleDefinition);
  if (definitions.length > 0) return definitions;
  throw errors.ERR_MPATH_ENTRY.at(place, entry, `'${file}' exports no module (see defineModule)`);
}

function importError(cause: unknown, entry: string, file: string, place: Place | undefined): ProxyError {
  if (cause instanceof ProxyError && cause.code === errors.ERR_MPATH_ENTRY.code) return cause;
  const error = errors.ERR_MPATH_IMPORT.at(place, entry, file, messageOf(cause));
  error.cause = cause;
  return error;
}

/** The source files of an entry, or what is wrong with it. */
function filesOf(entry: string, baseDir: string): string[] | string {
  const folder = resolve(baseDir, entry);
  if (isFolder(folder)) {
    const files = filesInFolder(folder);
    return files.length > 0
      ? files
      : `no module in the folder '${folder}': expected NAME/NAME.ts or NAME/index.ts (or .js, .mjs) there`;
  }
  const installed = packageFolder(entry, baseDir);
  if (installed === null) return `neither a folder ('${folder}') nor an installed npm package`;
  const main = packageMain(installed);
  return main === null ? `the package in '${installed}' has no main file` : [main];
}

function filesInFolder(folder: string): string[] {
  const own = moduleFile(folder);
  if (own !== null) return [own];
  return readdirSync(folder, { withFileTypes: true })
    .filter((item) => isModuleFolder(item, folder))
    .map((item) => item.name)
    .toSorted()
    .map((name) => moduleFile(join(folder, name)))
    .filter((file) => file !== null);
}

function isModuleFolder(item: Dirent, parent: string): boolean {
  if (item.name.startsWith('.') || item.name === 'node_modules') return false;
  return item.isDirectory() || (item.isSymbolicLink() && isFolder(join(parent, item.name)));
}

/** The file that a module's folder is loaded by, or null when it holds none. */
function moduleFile(folder: string): string | null {
  for (const name of [basename(folder), 'index']) {
    for (const extension of EXTENSIONS) {
      const file = join(folder, name + extension);
      if (isFile(file)) return file;
    }
  }
  return packageMain(folder);
}
