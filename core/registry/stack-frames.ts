import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A line of a stack: `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/;

/** A place that a stack names. */
export interface Frame {
  readonly path: string;
  readonly line: string;
}

/**
 * The frame that someone who wrote routes or modules looks for: the first in a file of the user, else in a package. Those of the program itself and of
 * Node.js are passed over.
 */
export function userFrame(frames: readonly Frame[], routesFile?: string): Frame | undefined {
  const own = ownFolders();
  const others = frames.filter(
    ({ path }) => path === routesFile || (isAbsolute(path) && !own.some((folder) => path.startsWith(folder))),
  );
  return others.find(({ path }) => path === routesFile || !path.includes('/node_modules/')) ?? others[0];
}

/** The frames of an error's stack; none for what is no error. */
export function framesOf(thrown: unknown): Frame[] {
  const stack = stackOf(thrown);
  const frames: Frame[] = [];
  for (const text of stack.split('\n')) {
    const [, location, line] = FRAME.exec(text) ?? [];
    if (location !== undefined && line !== undefined) frames.push({ path: plainPath(location), line });
  }
  return frames;
}

/** What an error has for a stack, where that is text: libraries may put something else there. '' without one. */
export function stackOf(thrown: unknown): string {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
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
  const root = here.slice(0, here.lastIndexOf('core/registry/')).replace(/dist\/$/, '');
  return [root, `${root}dist/`].flatMap((folder) => [`${folder}core/`, `${folder}modules/`]);
}
