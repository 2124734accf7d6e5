import { param, type ParamSchema } from '../registry/params.ts';
import { DEFAULT_CONNECTION_LIMITS as LIMITS } from '../transport/connection-limits.ts';

/** Keys of kamailio.yaml's `tcp`: bounds of connections, those of TLS and WebSocket too. Named and measured as Kamailio's `tcp_...` where it has them. */
export const TCP_KEYS = {
  max_connections: param.int({
    default: LIMITS.maxConnections,
    min: 1,
    unit: 'count',
    doc: 'Connections at one time; above it new ones are closed.',
  }),
  max_connections_per_address: param.int({
    default: LIMITS.maxConnectionsPerAddress,
    min: 1,
    unit: 'count',
    doc: 'Connections at one time with one remote address; above it new ones are closed.',
  }),
  connection_lifetime: param.int({
    default: LIMITS.idleMs / 1_000,
    min: 1,
    unit: 's',
    doc: 'How long a connection on which nothing comes or goes is kept.',
  }),
  max_lifetime: param.int({
    default: LIMITS.lifetimeMs / 1_000,
    min: 0,
    unit: 's',
    doc: 'How long a connection is kept at all; 0: as long as it is used.',
  }),
  connect_timeout: param.int({
    default: LIMITS.connectTimeoutMs / 1_000,
    min: 1,
    unit: 's',
    doc: 'How long setting up a connection may take, with its TLS and WebSocket handshakes.',
  }),
  send_timeout: param.int({
    default: LIMITS.sendTimeoutMs / 1_000,
    min: 1,
    unit: 's',
    doc: 'A peer that takes nothing of what waits for it for so long is cut off.',
  }),
  msg_read_timeout: param.int({
    default: LIMITS.messageTimeoutMs / 1_000,
    min: 1,
    unit: 's',
    doc: 'How long a message may take from its first byte to its last.',
  }),
  conn_wq_max: param.int({
    default: LIMITS.connectionQueueBytes,
    min: 65_536,
    unit: 'bytes',
    doc: 'What may wait to be sent on one connection; above it sending fails.',
  }),
  wq_max: param.int({
    default: LIMITS.totalQueueBytes,
    min: 65_536,
    unit: 'bytes',
    doc: 'What may wait to be sent on all connections; above it sending fails.',
  }),
  keepidle: param.int({
    default: LIMITS.keepIdleMs / 1_000,
    min: 0,
    unit: 's',
    doc: 'Silence after which TCP asks whether the peer is still there; 0: never.',
  }),
  accept_aliases: param.bool({
    default: LIMITS.acceptAliases,
    doc: 'Whether a Via with alias lets requests to its address take the connection it came by (RFC 5923).',
  }),
} satisfies ParamSchema;

/** Keys of kamailio.yaml's `tls`, named as those of Kamailio's tls.cfg where it has them. */
export const TLS_KEYS = {
  certificate: param.string({ default: '', doc: 'File with the certificate and its chain, PEM.' }),
  private_key: param.string({ default: '', doc: 'File with the private key of the certificate, PEM.' }),
  ca_list: param.string({
    default: '',
    doc: 'File with the certificates of those who are trusted, PEM; empty: those that Node.js trusts.',
  }),
  tls_method: param.oneOf(['TLSv1.2+', 'TLSv1.3+'], { default: 'TLSv1.2+', doc: 'Lowest version of TLS.' }),
  verify_certificate: param.bool({
    default: false,
    doc: 'Whether clients are asked for a certificate, and refused when it cannot be verified.',
  }),
  require_certificate: param.bool({
    default: false,
    doc: 'Whether clients without a verified certificate are refused.',
  }),
  verify_server: param.bool({
    default: true,
    doc: 'Whether a peer that the proxy connects to must prove to be the host of the URI (RFC 5922).',
  }),
} satisfies ParamSchema;

/** Keys of a name below `tls.server_names`. */
export const SERVER_NAME_KEYS = {
  certificate: TLS_KEYS.certificate,
  private_key: TLS_KEYS.private_key,
} satisfies ParamSchema;

/** What `tls.server_names` is for. */
export const SERVER_NAMES_DOC =
  'Certificates for names that clients ask for, "*." in front for any one label; reloaded on SIGHUP as all files are.';
