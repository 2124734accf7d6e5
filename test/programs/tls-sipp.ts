import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../architecture/source-files.ts';

let found: string | null | undefined;

/** Path of a SIPp that can do TLS, which not every one can; null when there is none. */
export function tlsSipp(): string | null {
  if (found === undefined) {
    const { stdout } = spawnSync('bash', [join(ROOT, 'test/programs/tls-sipp.sh')], { encoding: 'utf8' });
    found = stdout.trim() || null;
  }
  return found;
}
