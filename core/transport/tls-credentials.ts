import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';

/** A certificate with its chain, and its private key; PEM. */
export interface Certificate {
  /** Name that clients ask for it by (RFC 6066 3), `*.` in front for any one label; null: whatever the name. */
  readonly serverName: string | null;
  readonly certificate: string;
  readonly privateKey: string;
}

/** What TLS goes by: kamailio.yaml's `tls`, with the files read. */
export interface TlsSettings {
  /** The first without a name counts where no other does. */
  readonly certificates: readonly Certificate[];
  /** Whom to trust, PEM; null: those that Node.js trusts. */
  readonly ca: string | null;
  readonly minVersion: SecureVersion;
  /** Whether clients are asked for a certificate, which is refused if it cannot be verified. */
  readonly verifyCertificate: boolean;
  /** Whether clients must have one. */
  readonly requireCertificate: boolean;
  /** Whether servers must prove to be the host that they were reached by. */
  readonly verifyServer: boolean;
}

/** Certificates as they are used, and can be exchanged while the proxy runs. */
export class TlsCredentials {
  #settings: TlsSettings;
  #default: SecureContext;
  #byName: ReadonlyMap<string, SecureContext>;
  readonly #listeners = new Set<() => void>();

  /** @throws the error of OpenSSL when a certificate or key is no good. */
  constructor(settings: TlsSettings) {
    this.#settings = settings;
    this.#default = createSecureContext(this.options);
    this.#byName = contextsOf(settings);
  }

  get settings(): TlsSettings {
    return this.#settings;
  }

  /** What connections that ask for no name, and those that the proxy opens, go by. */
  get options(): SecureContextOptions {
    const { certificates } = this.#settings;
    return contextOptions(
      this.#settings,
      certificates.find(({ serverName }) => serverName === null),
    );
  }

  /** The context of connections that the proxy opens. */
  get context(): SecureContext {
    return this.#default;
  }

  /** The context for a name that a client asks for; undefined: there is none of its own. */
  contextFor(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const dot = name.indexOf('.');
    return this.#byName.get(name) ?? (dot < 0 ? undefined : this.#byName.get(`*${name.slice(dot)}`));
  }

  /** Takes new certificates for connections from now on. When it throws, the ones before stay. @throws as the constructor. */
  use(settings: TlsSettings): void {
    const next = new TlsCredentials(settings);
    this.#settings = settings;
    this.#default = next.#default;
    this.#byName = next.#byName;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }
}

function contextsOf(settings: TlsSettings): ReadonlyMap<string, SecureContext> {
  const contexts = new Map<string, SecureContext>();
  for (const certificate of settings.certificates) {
    const { serverName } = certificate;
    if (serverName !== null)
      contexts.set(serverName.toLowerCase(), createSecureContext(contextOptions(settings, certificate)));
  }
  return contexts;
}

function contextOptions(settings: TlsSettings, own: Certificate | undefined): SecureContextOptions {
  return {
    minVersion: settings.minVersion,
    ...(settings.ca === null ? {} : { ca: settings.ca }),
    ...(own === undefined ? {} : { cert: own.certificate, key: own.privateKey }),
  };
}
