import { resolve } from 'node:path';
import { framesOf, userFrame } from '../registry/stack-frames.ts';

/**
 * Where a handler failed, `file:line`: the first frame in a file of the user, which is the routes file, one that it imports or a module under
 * `mpath`; else the file alone.
 */
export function faultPlace(thrown: unknown, file: string): string {
  const found = userFrame(framesOf(thrown), resolve(file));
  return found === undefined ? file : `${found.path}:${found.line}`;
}
