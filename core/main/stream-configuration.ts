import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { errors, type Place } from '../errors.ts';
import { messageOf } from '../registry/shown.ts';
import type { ConnectionLimits } from '../transport/connection-limits.ts';
import type { Certificate, TlsSettings } from '../transport/tls-credentials.ts';
import type { ConfigurationReader } from './configuration-reader.ts';
import { hasUnresolved, type Located, type LocatedMap } from './located-yaml.ts';
import { SERVER_NAME_KEYS, TCP_KEYS, TLS_KEYS } from './stream-keys.ts';

/** Reads the key `tcp`. */
export function readTcp(found: Located | null, reader: ConfigurationReader): ConnectionLimits {
  const keys = reader.section(found, 'tcp', TCP_KEYS);
  return {
    maxConnections: keys.max_connections,
    maxConnectionsPerAddress: keys.max_connections_per_address,
    idleMs: keys.connection_lifetime * 1_000,
    lifetimeMs: keys.max_lifetime * 1_000,
    connectTimeoutMs: keys.connect_timeout * 1_000,
    sendTimeoutMs: keys.send_timeout * 1_000,
    messageTimeoutMs: keys.msg_read_timeout * 1_000,
    connectionQueueBytes: keys.conn_wq_max,
    totalQueueBytes: keys.wq_max,
    keepIdleMs: keys.keepidle * 1_000,
    acceptAliases: keys.accept_aliases,
  };
}

/** Reads the key `tls` and the files that it names, relative to `folder`; null when it is missing or something is wrong with a certificate. */
export function readTls(
  found: Located | null,
  reader: ConfigurationReader,
  folder: string,
): TlsSettings | null {
  if (found === null) return null;
  const map = reader.map(found, 'tls', [...Object.keys(TLS_KEYS), 'server_names']);
  const files = new PemFiles(reader, folder);
  const plain = map === null ? null : { ...map, entries: new Map(map.entries) };
  // What is not known has been told of.
  for (const key of plain?.entries.keys() ?? []) if (!(key in TLS_KEYS)) plain?.entries.delete(key);
  const keys = reader.section(plain, 'tls', TLS_KEYS);
  const own = files.certificate(map, keys, null);
  const named = readServerNames(reader.entry(map, 'server_names'), reader, files);
  const ca = keys.ca_list === '' ? null : files.trusted(keys.ca_list, reader.entry(map, 'ca_list')?.place);
  if (own === null || named.includes(null) || (ca === null && keys.ca_list !== '')) return null;
  return {
    certificates: [own, ...named.filter((certificate) => certificate !== null)],
    ca,
    minVersion: keys.tls_method === 'TLSv1.3+' ? 'TLSv1.3' : 'TLSv1.2',
    verifyCertificate: keys.verify_certificate,
    requireCertificate: keys.require_certificate,
    verifyServer: keys.verify_server,
  };
}

function readServerNames(
  found: Located | null,
  reader: ConfigurationReader,
  files: PemFiles,
): (Certificate | null)[] {
  if (found === null) return [];
  const map = reader.map(found, 'tls.server_names', null);
  return [...(map?.entries ?? [])].map(([name, { value }]) => {
    const where = `tls.server_names.${name}`;
    const keys = reader.section(value, where, SERVER_NAME_KEYS);
    return value.kind === 'map' ? files.certificate(value, keys, name) : null;
  });
}

/** Reads PEM files that a configuration names, and tells what is wrong with them where they are named. */
class PemFiles {
  readonly #reader: ConfigurationReader;
  readonly #folder: string;

  constructor(reader: ConfigurationReader, folder: string) {
    this.#reader = reader;
    this.#folder = folder;
  }

  certificate(
    map: LocatedMap | null,
    names: { readonly certificate: string; readonly private_key: string },
    serverName: string | null,
  ): Certificate | null {
    if (map === null) return null;
    for (const key of ['certificate', 'private_key'] as const) {
      if (names[key] !== '') continue;
      const found = this.#reader.entry(map, key);
      if (found !== null && hasUnresolved(found)) return null;
      this.#reader.mistakes.push(errors.ERR_CONFIG_MISSING.at(map.place, key, 'the name of a PEM file'));
      return null;
    }
    const certificatePlace = this.#reader.entry(map, 'certificate')?.place;
    const keyPlace = this.#reader.entry(map, 'private_key')?.place;
    const certificate = this.#read(names.certificate, certificatePlace, (pem) => new X509Certificate(pem));
    const privateKey = this.#read(names.private_key, keyPlace, (key) =>
      createSecureContext(certificate === null ? { key } : { key, cert: certificate }),
    );
    return certificate === null || privateKey === null ? null : { serverName, certificate, privateKey };
  }

  trusted(name: string, place: Place | undefined): string | null {
    return this.#read(name, place, (pem) => new X509Certificate(pem));
  }

  #read(name: string, place: Place | undefined, check: (pem: string) => unknown): string | null {
    const file = resolve(this.#folder, name);
    let pem: string;
    try {
      pem = readFileSync(file, 'latin1');
    } catch (error) {
      this.#reader.mistakes.push(errors.ERR_TLS_FILE.at(place, file, messageOf(error)));
      return null;
    }
    try {
      check(pem);
      return pem;
    } catch (error) {
      this.#reader.mistakes.push(errors.ERR_TLS_CERTIFICATE.at(place, file, messageOf(error)));
      return null;
    }
  }
}
