import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** The state of a socket that listens, in the kernel's table. */
const LISTEN = '0A';

/** Whether a program on this machine has bound a UDP port (Linux: reads the kernel's table). */
export function isUdpPortBound(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/udp', '/proc/net/udp6'].some((table) => {
    const lines = readFileSync(table, 'latin1').split('\n').slice(1);
    return lines.some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix) === true);
  });
}

/** Whether a program on this machine listens on a TCP port (Linux: reads the kernel's table), without connecting to it. */
export function isTcpPortListening(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) => {
    const lines = readFileSync(table, 'latin1').split('\n').slice(1);
    return lines.some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return local?.endsWith(suffix) === true && state === LISTEN;
    });
  });
}

/** Whether a TCP port of 127.0.0.1 takes connections. */
export function acceptsTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
