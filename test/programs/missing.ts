import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The programs that some tests talk to. */
export type Peer = 'memcached' | 'sipp' | 'kamailio' | 'openssl' | 'sipsak' | 'dnsmasq';

/** Where Kamailio's modules lie: /usr/lib/kamailio/modules or, on Debian, one folder per architecture. */
function kamailioHasMemcached(): boolean {
  for (const library of ['/usr/lib', '/usr/local/lib', '/usr/lib64']) {
    if (!existsSync(library)) continue;
    const folders = ['.', ...readdirSync(library).filter((name) => name.includes('linux'))];
    if (folders.some((folder) => existsSync(join(library, folder, 'kamailio/modules/memcached.so'))))
      return true;
  }
  return false;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function inPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, program)));
}

/**
 * Why a test that needs `peer` has to be skipped, or null when the program is there: `{ skip: missing('sipp') ?? false }`.
 *
 * @throws where KAMAIKI_REQUIRE_PEERS is set and the program is missing, so that CI fails rather than skips.
 */
export function missing(peer: Peer): string | null {
  let reason: string | null = null;
  if (!inPath(peer)) reason = `${peer} is not installed`;
  else if (peer === 'kamailio' && !kamailioHasMemcached())
    reason = "Kamailio's memcached module is not installed";
  if (reason !== null && (process.env['KAMAIKI_REQUIRE_PEERS'] ?? '') !== '') {
    throw new Error(`${reason}, and KAMAIKI_REQUIRE_PEERS asks for it`);
  }
  return reason;
}
