import { errors, type Logger, type ParamValues } from '../../core/index.ts';
import { Credentials } from './credentials.ts';
import type { params } from './params.ts';
import type { ServerEntry } from './server-list.ts';
import { TlsAccess } from './tls-access.ts';

/** What it takes to be let in by a server. */
export interface Access {
  /** Null: without TLS. */
  readonly tls: {
    readonly access: TlsAccess /** Whom the server has to prove to be. */;
    readonly name: string;
  } | null;
  /** Null: without a password. */
  readonly credentials: Credentials | null;
}

/** A server that lets in everyone. */
export const OPEN_ACCESS: Access = { tls: null, credentials: null };

type AccessParams = Pick<
  ParamValues<typeof params>,
  | 'tls'
  | 'tls_ca_list'
  | 'tls_certificate'
  | 'tls_private_key'
  | 'tls_server_name'
  | 'tls_verify'
  | 'user'
  | 'password'
>;

/** Says how each server is to be reached; one object does so for all groups of servers of a module. */
export class AccessRules {
  readonly #values: AccessParams;
  readonly #credentials: Credentials | null;
  readonly #tls: TlsAccess | null;

  /**
   * `servers`: all that there are.
   *
   * @throws ERR_MEMCACHED_ACCESS when parameters contradict each other, or a certificate and its key.
   */
  constructor(values: AccessParams, servers: readonly ServerEntry[], log: Logger) {
    this.#values = values;
    this.#credentials = credentialsOf(values);
    const usesTls = servers.some((entry) => this.#wantsTls(entry));
    if (!usesTls) {
      const given = tlsParams(values)[0];
      if (given !== undefined) {
        throw errors.ERR_MEMCACHED_ACCESS(
          `${given} is set, but no server is reached over TLS (tls: true, or ;tls=on after a server)`,
        );
      }
      this.#tls = null;
      return;
    }
    this.#tls = tlsOf(values, log);
    if (!values.tls_verify) {
      log.warn('memcached: tls_verify is off: whoever is on the way can take the place of a server');
    }
  }

  /** What it takes to be let in by one of the servers. */
  accessOf(entry: ServerEntry): Access {
    const { address } = entry;
    const name = entry.tlsName ?? (this.#values.tls_server_name === '' ? null : this.#values.tls_server_name);
    const tls =
      this.#tls !== null && address.kind === 'tcp' && this.#wantsTls(entry)
        ? { access: this.#tls, name: name ?? address.host }
        : null;
    return { tls, credentials: this.#credentials };
  }

  #wantsTls({ address, tls }: ServerEntry): boolean {
    return address.kind === 'tcp' && (tls ?? this.#values.tls);
  }
}

/** Names of the parameters about TLS that are set. */
function tlsParams(values: AccessParams): readonly string[] {
  const { tls, tls_ca_list, tls_certificate, tls_private_key, tls_server_name } = values;
  const given = { tls, tls_ca_list, tls_certificate, tls_private_key, tls_server_name };
  return Object.entries(given).flatMap(([name, value]) => (value === false || value === '' ? [] : name));
}

function credentialsOf({ user, password }: AccessParams): Credentials | null {
  if (user === '' && password.isEmpty) return null;
  if (user === '' || password.isEmpty) {
    throw errors.ERR_MEMCACHED_ACCESS(
      user === '' ? 'password is set, user is not' : 'user is set, password is not',
    );
  }
  return new Credentials(user, password);
}

function tlsOf(values: AccessParams, log: Logger): TlsAccess {
  const { tls_ca_list: ca, tls_certificate: certificate, tls_private_key: privateKey } = values;
  if ((certificate === '') !== (privateKey === '')) {
    throw errors.ERR_MEMCACHED_ACCESS(
      'tls_certificate and tls_private_key belong together: one of them is missing',
    );
  }
  try {
    return new TlsAccess({ ca, certificate, privateKey, verify: values.tls_verify, log });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw Object.assign(errors.ERR_MEMCACHED_ACCESS(`${certificate}, ${privateKey}: ${reason}`), { cause });
  }
}
