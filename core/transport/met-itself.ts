import type { Socket } from 'node:net';

/**
 * Whether a connection just made is one with itself. The kernel chooses the near port of a connection; on a port of this machine where nothing listens it may
 * choose that very port, and TCP lets the two ends of one socket meet (RFC 9293 3.5, simultaneous open): all that is sent would come in again.
 */
function hasMetItself(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

/** Calls `opened` once the socket has a connection with another; one with itself ends with an error, as if it had been refused. */
export function onceConnected(socket: Socket, event: 'connect' | 'secureConnect', opened: () => void): void {
  socket.once(event, () => {
    if (hasMetItself(socket)) socket.destroy(new Error('nothing listens there'));
    else opened();
  });
}
