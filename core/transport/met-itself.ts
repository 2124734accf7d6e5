import type { Socket } from 'node:net';

/**
 * Whether a connection just made is one with itself. The kernel chooses the near port of a connection; on a port of this machine where nothing listens it may
 * choose that very port, and TCP lets the two ends of one socket meet (RFC 9293 3.5, simultaneous open): all that is sent would come in again.
 */
export function hasMetItself(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}
