import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFields } from './fields.ts';
import { isFile } from './on-disk.ts';

/** Conditions of a package's `exports` that hold here, most wanted first. */
const CONDITIONS = ['node', 'import', 'default', 'require'] as const;

/** npm package names, with or without a scope. */
const PACKAGE_NAME = /^(?:@[a-z0-9._~-]+\/)?[a-z0-9_~-][a-z0-9._~-]*$/i;

/** The folder of an installed package, looked for in `node_modules` from `baseDir` upwards; null when it is not installed. */
export function packageFolder(name: string, baseDir: string): string | null {
  if (!PACKAGE_NAME.test(name)) return null;
  for (let folder = baseDir; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (isFile(join(candidate, 'package.json'))) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

/** The file that a package is loaded by: `exports`, else `main`, else index.js; null when there is no such file or no package.json. */
export function packageMain(folder: string): string | null {
  const manifest = join(folder, 'package.json');
  if (!isFile(manifest)) return null;
  const named = entryNamedIn(readJson(manifest));
  const file = join(folder, named ?? 'index.js');
  return isFile(file) ? file : null;
}

function entryNamedIn(manifest: unknown): string | null {
  if (!isFields(manifest)) return null;
  const exported = manifest['exports'];
  const root = isFields(exported) && '.' in exported ? exported['.'] : exported;
  const named = conditional(root) ?? manifest['main'];
  return typeof named === 'string' ? named : null;
}

function conditional(target: unknown): string | null {
  if (typeof target === 'string') return target;
  if (!isFields(target)) return null;
  for (const condition of CONDITIONS) {
    const found = conditional(target[condition]);
    if (found !== null) return found;
  }
  return null;
}

/** A package.json that is not JSON names nothing; its package is then reported as one without a main file. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
