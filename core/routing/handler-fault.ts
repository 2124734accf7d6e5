import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A line of a stack: `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/;

interface Frame {
  readonly path: string;
  readonly line: string;
}

/**
 * Where a handler failed, `file:line`: the first frame in a file of the user, which is the routes file, one that it imports or a module under
 * `mpath`; else the file alone.
 */
export function faultPlace(thrown: unknown, file: string): string {
  const frames = thrown instanceof Error ? framesOf(thrown) : [];
  const routesFile = resolve(file);
  const own = ownFolders();
  const found =
    frames.find(({ path }) => path === routesFile || isUsers(path, own)) ??
    frames.find(({ path }) => !path.startsWith('node:') && !own.some((folder) => path.startsWith(folder)));
  return found === undefined ? file : `${found.path}:${found.line}`;
}

/** Packages that the routes import are not where someone looks first. */
function isUsers(path: string, own: readonly string[]): boolean {
  return (
    isAbsolute(path) && !path.includes('/node_modules/') && !own.some((folder) => path.startsWith(folder))
  );
}

function framesOf(error: Error): Frame[] {
  const frames: Frame[] = [];
  for (const text of (error.stack ?? '').split('\n')) {
    const [, location, line] = FRAME.exec(text) ?? [];
    if (location !== undefined && line !== undefined) frames.push({ path: plainPath(location), line });
  }
  return frames;
}

function plainPath(location: string): string {
  const bare = location.replace(/^async /, '');
  if (!bare.startsWith('file:')) return bare;
  try {
    return fileURLToPath(bare);
  } catch {
    // A URL that is no path on this machine names the place as it is.
    return bare;
  }
}

/** The folders of the program as stacks name them: of the sources where source maps are on, else of the build. */
function ownFolders(): string[] {
  const here = framesOf(new Error('here'))[0]?.path ?? '';
  const root = here.slice(0, here.lastIndexOf('core/routing/')).replace(/dist\/$/, '');
  return [root, `${root}dist/`].flatMap((folder) => [`${folder}core/`, `${folder}modules/`]);
}
