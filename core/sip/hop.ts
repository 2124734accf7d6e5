/** Transport protocols of SIP, as they stand in a `transport` parameter (RFC 3261 19.1.1, RFC 7118). */
const PROTOCOLS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Ports where none is written (RFC 3261 19.1.2, RFC 7118 5.1). */
export const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};

/** The protocol a text names in any case, or null. */
export function protocolOf(text: string): Protocol | null {
  const lower = text.toLowerCase();
  return PROTOCOLS.find((protocol) => protocol === lower) ?? null;
}

/** An address the proxy listens on, and the name it gives itself there. Plain values: the socket is in core/transport. */
export interface ListenPoint {
  readonly protocol: Protocol;
  readonly family: 4 | 6;
  /** Bound address, without brackets. */
  readonly address: string;
  readonly port: number;
  /** What others are told to use: the `advertise` host and port, else the bound ones. IPv6 in brackets. */
  readonly advertisedHost: string;
  readonly advertisedPort: number;
  /** `advertisedHost:advertisedPort`, as in a Via's sent-by. */
  readonly sentBy: string;
}

/** Where a message came from, and on which of our addresses it arrived. */
export interface Received {
  readonly point: ListenPoint;
  /** Peer's address without brackets; an IPv4-mapped IPv6 address is given as IPv4. */
  readonly address: string;
  readonly port: number;
  /** Names the connection on stream transports, so that a reply can take the same one; 0 on UDP. */
  readonly flow: number;
}

/** Where a message goes: always numeric. `point` fixes the socket; without it the transport layer picks one. */
export interface Target {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly point?: ListenPoint | undefined;
  /** A connection to take if it is still open; address and port count otherwise. */
  readonly flow?: number | undefined;
  /** Nothing but this flow will do: a connection that is gone is a failure, and no other protocol is tried (RFC 5626 5.3.1). */
  readonly onlyFlow?: true | undefined;
  /** Whom the peer must prove to be where the protocol has proofs (TLS): the host of the URI that led here, IPv6 without brackets; default: `address`. */
  readonly host?: string | undefined;
}

/** Where a flow token in a Route leads: out on a flow, or nowhere since it is no token from here (RFC 5626 5.3). */
export type FlowRoute =
  | { readonly ok: true; readonly target: Target; readonly token: string }
  | { readonly ok: false; readonly reason: string };
