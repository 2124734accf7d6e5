import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders that are made, not written. */
const MADE = new Set(['node_modules', 'dist', '.git', '.build']);

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above this test');
    folder = parent;
  }
  return folder;
}

/** The project's folder, wherever the tests were built to. */
export const ROOT = findRoot();

/** Paths of all files under a folder of the project that someone wrote, from ROOT, with `/`. */
export function filesUnder(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (MADE.has(entry.name)) return [];
      if (entry.isDirectory()) return filesUnder(path);
      return entry.isFile() ? [path.replaceAll(sep, '/')] : [];
    })
    .toSorted();
}

/** The TypeScript files of some folders. */
export function sourcesUnder(...folders: string[]): string[] {
  return folders.flatMap(filesUnder).filter((file) => file.endsWith('.ts'));
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** `import … from` and `export … from`, on one line or several; the formatter puts them at the start of a line. */
const STATIC = /^(?:import|export)\s(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

/** Source without comments that fill whole lines; the others stay. */
export function withoutCommentLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/\*|\*)/.test(line))
    .join('\n');
}

export interface Import {
  /** As written, or the path from ROOT where it is a file of the project. */
  readonly from: string;
  /** Whether it is gone from the built program: `import type`. */
  readonly typeOnly: boolean;
}

/** What a source imports, specifiers as written. */
export function importsIn(text: string): Import[] {
  const code = withoutCommentLines(text);
  return [
    ...Array.from(code.matchAll(STATIC), ([, type, from]) => ({
      from: from ?? '',
      typeOnly: type !== undefined,
    })),
    ...Array.from(code.matchAll(DYNAMIC), ([, from]) => ({ from: from ?? '', typeOnly: false })),
  ];
}

/** What a file imports. */
export function importsOf(file: string): Import[] {
  const folder = posix.dirname(file);
  return importsIn(read(file)).map(({ from, typeOnly }) => ({
    from: from.startsWith('.') ? posix.join(folder, from) : from,
    typeOnly,
  }));
}
