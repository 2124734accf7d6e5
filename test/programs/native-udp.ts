import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../architecture/source-files.ts';

/** Builds the native UDP sockets, as `npm run build:native` does, for this process and those that tests start. */
export function buildNativeUdp(): void {
  execFileSync('bash', [join(ROOT, 'core/transport/native/build.sh')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
