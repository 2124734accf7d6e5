import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Logger } from '../log.ts';
import { bracketed, type Family } from './addresses.ts';

/** Size asked for of the socket's buffers, bytes: a burst of some 5,000 datagrams waits while the event loop is busy. */
export const SOCKET_BUFFER_BYTES = 4 * 1_024 * 1_024;

/** Who sent a datagram: a numeric address, IPv6 with its zone where it has one. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

/** Called when a datagram was sent, or could not be. */
export type Sent = (error: Error | null, bytes: number) => void;

/** A bound UDP socket; that of `node:dgram` is one. */
export interface DatagramSocket {
  address(): Sender;
  /** `sent` is never called before `send` returns. @throws Error for what is no port. */
  send(bytes: Buffer, port: number, address: string, sent?: Sent): void;
  /** Bytes that wait for the system to take them. */
  getSendQueueSize(): number;
  close(closed?: () => void): void;
}

/** What a socket is made from. */
export interface DatagramSocketOptions extends Sender {
  readonly family: Family;
  readonly log: Logger;
  readonly onDatagram: (bytes: Buffer, from: Sender) => void;
  /** An error that concerns no send that is waited for; the socket goes on. */
  readonly onError: (error: Error) => void;
}

/** Binds a socket. Rejects with the system's error, and holds nothing then. */
export type OpenDatagramSocket = (options: DatagramSocketOptions) => Promise<DatagramSocket>;

type LookupDone = (error: Error | null, address: string, family: number) => void;

/** Stands in for dns.lookup: targets are numeric, so that the answer is there at once. */
function numericLookup(address: string, options: unknown, done: LookupDone): void {
  done(null, address, options === 6 ? 6 : 4);
}

/** A socket of `node:dgram`. */
export async function openNodeSocket(options: DatagramSocketOptions): Promise<DatagramSocket> {
  const { address, port, family, log, onDatagram, onError } = options;
  const type = family === 4 ? 'udp4' : 'udp6';
  const socket = createSocket({ type, ipv6Only: family === 6, lookup: numericLookup });
  try {
    // Before `bind`, which with a lookup like ours is done when it returns.
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  growBuffers(socket, log);
  socket.on('error', onError);
  socket.on('message', onDatagram);
  return socket;
}

function growBuffers(socket: Socket, log: Logger): void {
  const own = socket.address();
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch (error) {
    log.debug('udp buffers could not be set', { listen: printed(own), error });
  }
  if (log.isEnabled('debug'))
    logBuffers(log, own, { receiveBytes: socket.getRecvBufferSize(), sendBytes: socket.getSendBufferSize() });
}

/** Says how large the system has made the buffers that it was asked for. */
export function logBuffers(
  log: Logger,
  own: Sender,
  sizes: { readonly receiveBytes: number; readonly sendBytes: number },
): void {
  log.debug('udp buffers', { listen: printed(own), askedBytes: SOCKET_BUFFER_BYTES, ...sizes });
}

function printed({ address, port }: Sender): string {
  return `${bracketed(address)}:${port}`;
}
