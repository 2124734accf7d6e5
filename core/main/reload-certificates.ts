import { type ProxyError, ProxyErrors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../registry/shown.ts';
import type { TlsCredentials } from '../transport/tls-credentials.ts';
import type { Sources } from './assemble.ts';
import { readConfiguration } from './configuration.ts';

/**
 * Reads the configuration's `tls` and its files anew, and has new connections go by them. What is wrong is logged, and the certificates
 * before stay. Which certificates clients must have is a matter of the start.
 */
export function reloadCertificates(
  credentials: TlsCredentials,
  { file, environment }: Pick<Sources, 'file' | 'environment'>,
  log: Logger,
): void {
  try {
    const { configuration, mistakes } = readConfiguration(file, { environment });
    if (configuration.tls === null) throw new ProxyErrors(mistakes.filter(concernsTls));
    credentials.use(configuration.tls);
    log.notice('certificates reloaded');
  } catch (error) {
    log.error('certificates not reloaded, the ones before stay in force');
    for (const line of messageOf(error).split('\n')) if (line !== '') log.error(line);
  }
}

/** A file that is no configuration any more has no other mistake to tell. */
function concernsTls({ code }: ProxyError, _: number, all: readonly ProxyError[]): boolean {
  return code.startsWith('ERR_TLS_') || !all.some((other) => other.code.startsWith('ERR_TLS_'));
}
