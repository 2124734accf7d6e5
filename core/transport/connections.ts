import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { ListenPoint } from '../sip/hop.ts';
import { unmapped } from './addresses.ts';
import type { Connection } from './connection.ts';
import type { ConnectionLimits } from './connection-limits.ts';

/** The connections of all stream transports, by flow, and what they may use together. */
export class Connections {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  /** What waits to be sent on all of them, bytes. */
  queuedBytes = 0;
  readonly #byFlow = new Map<number, Connection>();
  /** Sockets there are, those that are no connection yet or no more included. */
  #sockets = 0;
  readonly #perAddress = new Map<string, number>();
  #lastFlow = 0;

  constructor(limits: ConnectionLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /** A number that no connection has or had. */
  newFlow(): number {
    this.#lastFlow += 1;
    return this.#lastFlow;
  }

  add(connection: Connection): void {
    this.#byFlow.set(connection.flow, connection);
  }

  remove(connection: Connection): void {
    this.#byFlow.delete(connection.flow);
  }

  /** The connection of that flow if messages can be sent on it; null for flow 0 too. */
  find(flow: number | undefined): Connection | null {
    const connection = flow === undefined || flow === 0 ? undefined : this.#byFlow.get(flow);
    return connection?.usable === true ? connection : null;
  }

  /** How many connections a listen point has, those being set up included. */
  countOf(point: ListenPoint): number {
    let count = 0;
    for (const connection of this.#byFlow.values()) if (connection.point === point) count += 1;
    return count;
  }

  /** Why there is no room for one more connection with this address; null: there is. */
  full(address: string): string | null {
    const { maxConnections, maxConnectionsPerAddress } = this.limits;
    if (this.#sockets >= maxConnections) return `there are ${maxConnections} connections already`;
    if ((this.#perAddress.get(address) ?? 0) < maxConnectionsPerAddress) return null;
    return `there are ${maxConnectionsPerAddress} connections with ${address} already`;
  }

  /** Counts a socket with that peer until it is closed. */
  count(socket: Socket, address: string): void {
    this.#sockets += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    socket.once('close', () => {
      this.#sockets -= 1;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }
}

/** The peer's address, without the mapping of IPv4 into IPv6; '' when it has gone already. */
export function peerAddress(socket: Socket): string {
  return unmapped(socket.remoteAddress ?? '');
}
