import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { ListenPoint, Received, Target } from '../sip/hop.ts';
import type { Family } from './addresses.ts';
import type { Connections } from './connections.ts';
import type { OpenDatagramSocket } from './datagram-socket.ts';
import type { ListenOption } from './listen-option.ts';
import type { TlsCredentials } from './tls-credentials.ts';

/** What an implementation of a protocol is made from. */
export interface TransportOptions {
  readonly option: ListenOption;
  /** The option's host, resolved. */
  readonly address: string;
  readonly family: Family;
  readonly log: Logger;
  readonly clock: Clock;
  /** Takes each message as it arrives. What it throws is logged and goes no further. */
  readonly sink: (bytes: Buffer, received: Received) => void;
  /** Those of all stream transports. */
  readonly connections: Connections;
  /** Null: none are configured. */
  readonly credentials: TlsCredentials | null;
  readonly openUdp: OpenDatagramSocket;
}

/** What has gone through a listen point since it was opened. */
export interface Counters {
  /** Messages given to the sink. */
  received: number;
  /** Their size in all, bytes. */
  receivedBytes: number;
  /** Datagrams or pings that only keep a NAT binding or connection open (RFC 5626 3.5). */
  keepAlives: number;
  /** Messages the system took, or will have taken, as `Takers` has it. */
  sent: number;
  /** Their size in all, bytes. */
  sentBytes: number;
  /** Messages that could not be sent, and errors the system reported on the socket. */
  errors: number;
}

/** Returns counters that stand at 0. */
export function newCounters(): Counters {
  return { received: 0, receivedBytes: 0, keepAlives: 0, sent: 0, sentBytes: 0, errors: 0 };
}

/** Called when a message could not be sent. */
export type SendFailure = (error: Error) => void;

/**
 * One protocol on one address. A stream protocol keeps its connections inside: `Received.flow` and `Target.flow` name
 * them, and one is opened when a target without a flow asks for it.
 */
export interface Transport {
  readonly counters: Readonly<Counters>;
  /** Binds. Rejects with the system's error, and holds nothing then. */
  open(): Promise<ListenPoint>;
  /**
   * Sends to a target of this protocol and family. `onError` is called at most once, never before `send` returns;
   * `send` itself never throws. Over UDP it may be that only the next send to the same place is told, if a datagram was taken a moment before (`Takers`).
   */
  send(bytes: Buffer, target: Target, onError?: SendFailure): void;
  /** Has a datagram of its own arrive behind those that wait to be read now; only of protocols where they wait in one queue. */
  probe?(read: () => void): void;
  /** Ends all sockets. Sends from now on fail. May be called twice. */
  close(): Promise<void>;
}
