import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tlsSipp } from './tls-sipp.ts';

/** The programs that some tests talk to. */
export type Peer =
  | 'memcached'
  /** A memcached that was built with TLS, and takes passwords (-Y). */
  | 'memcached-tls'
  | 'sipp'
  | 'sipp-tls'
  | 'kamailio'
  | 'openssl'
  | 'sipsak'
  | 'dnsmasq'
  | 'baresip'
  | 'chromium'
  /** What builds the native UDP sockets: a C compiler, and the headers of Node.js. */
  | 'cc';

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

function memcachedHasTls(): boolean {
  const { stdout } = spawnSync('memcached', ['-h'], { encoding: 'utf8' });
  return stdout.includes('--enable-ssl') && stdout.includes('--auth-file');
}

function reasonFor(peer: Peer): string | null {
  if (peer === 'memcached-tls') {
    return reasonFor('memcached') ?? (memcachedHasTls() ? null : 'memcached is built without TLS');
  }
  if (peer === 'sipp-tls') return tlsSipp() === null ? 'there is no SIPp with TLS' : null;
  if (peer === 'cc' && !existsSync(join(process.execPath, '../../include/node/uv.h')))
    return 'the headers of Node.js are not installed';
  if (!inPath(peer)) return `${peer} is not installed`;
  if (peer === 'kamailio' && !kamailioHasMemcached()) return "Kamailio's memcached module is not installed";
  return null;
}

/**
 * Why a test that needs `peer` has to be skipped, or null when the program is there: `{ skip: missing('sipp') ?? false }`.
 *
 * @throws where KAMAIKI_REQUIRE_PEERS is set and the program is missing, so that CI fails rather than skips.
 */
export function missing(peer: Peer): string | null {
  const reason = reasonFor(peer);
  if (reason !== null && (process.env['KAMAIKI_REQUIRE_PEERS'] ?? '') !== '') {
    throw new Error(`${reason}, and KAMAIKI_REQUIRE_PEERS asks for it`);
  }
  return reason;
}
