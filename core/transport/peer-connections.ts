import { isIP } from 'node:net';
import type { ListenPoint, Received, Target } from '../sip/hop.ts';
import { parseMessage } from '../sip/message.ts';
import { paramValue } from '../sip/params.ts';
import { sentByPort } from '../sip/reply.ts';
import { Connection } from './connection.ts';
import type { Counters, TransportOptions } from './transport.ts';

interface Opening {
  readonly address: string;
  readonly port: number;
  readonly incoming: boolean;
  /** Name that an outgoing one was asked for by. */
  readonly host?: string | undefined;
}

/** The connections of one listen point, found by where they lead to. */
export class PeerConnections {
  readonly #options: TransportOptions;
  readonly #counters: Counters;
  readonly #all = new Set<Connection>();
  readonly #byPlace = new Map<string, Connection>();

  constructor(options: TransportOptions, counters: Counters) {
    this.#options = options;
    this.#counters = counters;
  }

  /**
   * The connection for a target that can be used: that of its flow, else one that leads to its address and port. Its peer
   * must have proved to be the target's host; one that opened the connection itself is known by its address as well (RFC 5923 8).
   */
  find(target: Target): Connection | null {
    const byFlow = this.#options.connections.find(target.flow);
    if (byFlow !== null) return byFlow;
    const { address, port, host = address } = target;
    const place = placeOf(address, port);
    const named = this.#byPlace.get(`${place} ${host}`);
    if (named?.usable === true) return named;
    const found = this.#byPlace.get(place);
    if (found?.usable !== true) return null;
    return (found.incoming && isIP(host) !== 0) || found.identifies(host) ? found : null;
  }

  /** Enters a connection that is being set up. */
  open(point: ListenPoint, { address, port, incoming, host = address }: Opening): Connection {
    const { connections } = this.#options;
    const received = { point, address, port, flow: connections.newFlow() };
    const places = new Set<string>();
    const connection: Connection = new Connection({
      table: connections,
      transport: this.#options,
      counters: this.#counters,
      received,
      incoming,
      onFirst: (bytes) => {
        const alias =
          connections.limits.acceptAliases && incoming ? this.#alias(connection, bytes, received) : null;
        if (alias !== null) this.#enter(placeOf(address, alias), connection, places);
      },
      onClosed: () => {
        this.#all.delete(connection);
        for (const place of places) if (this.#byPlace.get(place) === connection) this.#byPlace.delete(place);
      },
    });
    this.#all.add(connection);
    const place = placeOf(address, port);
    this.#enter(place, connection, places);
    // Known by the name it was asked for before its peer has proved anything: what waits is sent only then.
    if (!incoming) this.#enter(`${place} ${host}`, connection, places);
    return connection;
  }

  /** Ends all of them once what waits has gone; resolves when they are gone. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#all, (connection) => connection.close()));
  }

  #enter(place: string, connection: Connection, places: Set<string>): void {
    this.#byPlace.set(place, connection);
    places.add(place);
  }

  /** The port that a request's top Via asks requests to its sender to be sent to by this connection; null: it does not ask (RFC 5923 8). */
  #alias(connection: Connection, bytes: Buffer, received: Received): number | null {
    const parsed = parseMessage(bytes, received);
    if (!parsed.ok || parsed.msg.kind !== 'request') return null;
    const via = parsed.msg.parsedTopVia();
    if (!via.ok || paramValue(via.value.params, 'alias') === null) return null;
    if (!connection.identifies(via.value.host)) return null;
    return sentByPort(via.value);
  }
}

function placeOf(address: string, port: number): string {
  return `${address}:${port}`;
}
