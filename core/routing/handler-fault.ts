import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A line of a stack: `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/;

interface Frame {
  readonly path: string;
  readonly line: string;
}

/** Where a handler failed, `file:line`: the first frame in the routes file, else the first outside of the core, else the file alone. */
export function faultPlace(thrown: unknown, file: string): string {
  const frames = thrown instanceof Error ? framesOf(thrown) : [];
  const routesFile = resolve(file);
  const coreFolder = ownFolder();
  const found =
    frames.find(({ path }) => path === routesFile) ??
    frames.find(({ path }) => !path.startsWith('node:') && !path.startsWith(coreFolder));
  return found === undefined ? file : `${found.path}:${found.line}`;
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

/** The folder of the core as stacks name it: of the sources when source maps are on, else of the build. */
function ownFolder(): string {
  const here = framesOf(new Error('here'))[0]?.path ?? '';
  return here.slice(0, here.lastIndexOf('routing'));
}
