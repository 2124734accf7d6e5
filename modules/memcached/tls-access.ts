import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, type TcpSocketConnectOpts } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Logger } from '../../core/index.ts';

/** Lowest version of TLS, as memcached's own (-o ssl_min_version). */
const MIN_VERSION = 'TLSv1.2';

/** What a server that speaks no TLS makes of a handshake: its first bytes are no record of TLS. */
const NO_TLS: ReadonlySet<unknown> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNEXPECTED_MESSAGE',
]);

/** What TLS to a server goes by; names of files are absolute, and empty where there is none. */
interface TlsAccessOptions {
  /** Certificates of those who are trusted; empty: those that Node.js trusts. */
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
  /** Whether a server must prove who it is. */
  readonly verify: boolean;
  readonly log: Logger;
}

/** What is wrong with a file of certificates, or null. */
export function certificateProblem(file: string): string | null {
  return pemProblem(file, (pem) => new X509Certificate(pem));
}

/** What is wrong with a file of a private key, or null. */
export function privateKeyProblem(file: string): string | null {
  return pemProblem(file, (pem) => createPrivateKey(pem));
}

function pemProblem(file: string, parse: (pem: Buffer) => unknown): string | null {
  try {
    parse(readFileSync(file));
    return null;
  } catch (error) {
    return textOf(error);
  }
}

/** Opens connections over TLS. The files are read again for each, so that new certificates count from the next connection on. */
export class TlsAccess {
  readonly #options: TlsAccessOptions;
  #contents: readonly (string | undefined)[];
  #context: SecureContext;
  #failing = false;

  /** @throws the error of a file that cannot be read, or of OpenSSL when a certificate is no good or its key another's. */
  constructor(options: TlsAccessOptions) {
    this.#options = options;
    this.#contents = this.#read();
    this.#context = contextOf(this.#contents);
  }

  /** Begins to connect to a server that has to prove to be `name`. */
  connect(place: TcpSocketConnectOpts, name: string): TLSSocket {
    return connect({
      ...place,
      secureContext: this.#fresh(),
      rejectUnauthorized: this.#options.verify,
      // RFC 6066 3: no numeric address is a server name.
      servername: isIP(name) === 0 ? name : '',
      checkServerIdentity: (_, certificate) => checkIdentity(name, certificate.raw),
    });
  }

  #read(): readonly (string | undefined)[] {
    const { ca, certificate, privateKey } = this.#options;
    return [ca, certificate, privateKey].map((file) =>
      file === '' ? undefined : readFileSync(file, 'latin1'),
    );
  }

  /** The context of the files as they are now; that of before when something is wrong with them. */
  #fresh(): SecureContext {
    try {
      const contents = this.#read();
      if (contents.some((content, index) => content !== this.#contents[index])) {
        this.#context = contextOf(contents);
        this.#contents = contents;
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        this.#options.log.error(
          `memcached: certificates are not what they should be, those of before stay: ${textOf(error)}`,
        );
      }
      this.#failing = true;
    }
    return this.#context;
  }
}

/** @throws the error of OpenSSL. */
function contextOf([ca, cert, key]: readonly (string | undefined)[]): SecureContext {
  // Read here as well: a secure context takes a file without a certificate, such as one that is being written, for none.
  const [trusted, own] = [ca, cert].map((pem) => (pem === undefined ? undefined : new X509Certificate(pem)));
  return createSecureContext({
    minVersion: MIN_VERSION,
    ca: trusted === undefined ? undefined : ca,
    cert: own === undefined ? undefined : cert,
    key,
  });
}

/** Takes the place of Node.js's check, which holds the certificate against the address that was connected to, not against a name for it. */
function checkIdentity(name: string, raw: Buffer): Error | undefined {
  const certificate = new X509Certificate(raw);
  const proved = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return proved === undefined ? new Error(`it is not that of ${name}`) : undefined;
}

/** Why a handshake failed, for people. */
export function tlsFailure(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (NO_TLS.has(code)) return 'TLS: the server does not speak TLS';
  if (code === 'ECONNRESET') return 'TLS: the server ended the connection during the handshake';
  // OpenSSL's own text is long and begins with the address of a thread.
  if ('reason' in error && typeof error.reason === 'string') return `TLS: ${error.reason}`;
  return `TLS: the server's certificate cannot be trusted: ${error.message}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
