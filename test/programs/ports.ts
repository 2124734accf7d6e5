import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** Whether a program on this machine has bound a UDP port (Linux: reads the kernel's table). */
export function isUdpPortBound(port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/udp', '/proc/net/udp6'].some((table) => {
    const lines = readFileSync(table, 'latin1').split('\n').slice(1);
    return lines.some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix) === true);
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
