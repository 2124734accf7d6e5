import { isIP } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TlsCredentials } from './tls-credentials.ts';
import { checkSipIdentity, isCertificateOf } from './tls-identity.ts';

/** What a server that speaks TLS is made with. */
export function tlsServerOptions(tls: TlsCredentials, handshakeTimeout: number): TlsOptions {
  const { verifyCertificate, requireCertificate } = tls.settings;
  return {
    ...tls.options,
    handshakeTimeout,
    SNICallback: (name, done) => done(null, tls.contextFor(name)),
    requestCert: verifyCertificate || requireCertificate,
    // Whether there was a certificate at all is known once the handshake is done: see `refusal`.
    rejectUnauthorized: requireCertificate,
  };
}

/** Why a client is refused once its handshake is done: it has a certificate, and that could not be verified. Null when all is well. */
export function refusal(socket: TLSSocket, { settings }: TlsCredentials): Error | null {
  if (!settings.verifyCertificate || socket.authorized) return null;
  return socket.getPeerX509Certificate() === undefined ? null : socket.authorizationError;
}

/** Opens a connection to a server that must prove to be `host`, unless the settings say that it need not. */
export function connectSecurely(place: ConnectionOptions, host: string, tls: TlsCredentials): TLSSocket {
  return connect({
    ...place,
    secureContext: tls.context,
    rejectUnauthorized: tls.settings.verifyServer,
    // RFC 6066 3: no numeric address is a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    checkServerIdentity: (_, certificate) => checkSipIdentity(host, certificate),
  });
}

/** Tells whether the peer of a socket has proved to be a host, by its certificate. */
export function proves(socket: TLSSocket): (host: string) => boolean {
  return (host) => {
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    return certificate !== undefined && isCertificateOf(certificate, host);
  };
}
