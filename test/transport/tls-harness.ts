import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TestContext } from 'node:test';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { TlsCredentials, type TlsSettings } from '../../core/transport/tls-credentials.ts';
import type { Authority, KeyPair } from '../programs/certificates.ts';
import { Inbox } from './stream-harness.ts';

export const TLS: ListenOption = { protocol: 'tls', host: '127.0.0.1', port: 0 };

/** Settings that trust an authority, with one certificate. */
export function settings(authority: Authority, own: KeyPair, more: Partial<TlsSettings> = {}): TlsSettings {
  return {
    certificates: [{ serverName: null, certificate: own.certificate, privateKey: own.privateKey }],
    ca: authority.certificate,
    minVersion: 'TLSv1.2',
    verifyCertificate: false,
    requireCertificate: false,
    verifyServer: true,
    ...more,
  };
}

export function credentials(...args: Parameters<typeof settings>): TlsCredentials {
  return new TlsCredentials(settings(...args));
}

/** A TLS connection to a port of 127.0.0.1, ended with the test. @throws when the handshake fails. */
export async function tlsClient(t: TestContext, port: number, options: ConnectionOptions = {}) {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const { subjectaltname } = socket.getPeerCertificate();
  return { inbox: new Inbox(socket), names: subjectaltname ?? '', version: socket.getProtocol() };
}
