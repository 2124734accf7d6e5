/** Bounds of the connections of all stream transports: kamailio.yaml's `tcp`. */
export interface ConnectionLimits {
  /** Connections open at once, those being set up included. */
  readonly maxConnections: number;
  /** The same, with one remote address. */
  readonly maxConnectionsPerAddress: number;
  /** How long a connection may stand idle. */
  readonly idleMs: number;
  /** How long a connection may live at all; 0: as long as it is used. */
  readonly lifetimeMs: number;
  /** How long setting up a connection may take, TLS and WebSocket handshakes included. */
  readonly connectTimeoutMs: number;
  /** How long a peer may take nothing of what waits for it. */
  readonly sendTimeoutMs: number;
  /** How long a message may take from its first byte to its last. */
  readonly messageTimeoutMs: number;
  /** What may wait to be sent on one connection. */
  readonly connectionQueueBytes: number;
  /** What may wait to be sent on all of them. */
  readonly totalQueueBytes: number;
  /** How long a connection is silent before TCP asks whether the peer is there; 0: it never does. */
  readonly keepIdleMs: number;
  /** Whether a Via with `alias` lets requests to its address take the connection that it came by (RFC 5923). */
  readonly acceptAliases: boolean;
}

/** Most are Kamailio's (tcp_max_connections and so on), where it has them. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 2_048,
  maxConnectionsPerAddress: 1_024,
  idleMs: 120_000,
  lifetimeMs: 0,
  connectTimeoutMs: 10_000,
  sendTimeoutMs: 10_000,
  messageTimeoutMs: 20_000,
  connectionQueueBytes: 1_048_576,
  totalQueueBytes: 33_554_432,
  keepIdleMs: 60_000,
  acceptAliases: false,
};
