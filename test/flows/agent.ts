import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { Framing } from '../../core/sip/framing.ts';
import type { ListenPoint, Protocol } from '../../core/sip/hop.ts';
import type { KeyPair } from '../programs/certificates.ts';

/** Loopback takes far less; ms. */
const PATIENCE_MS = 10_000;

/** A message that an agent got, and where it came from. */
export interface Arrived {
  readonly text: string;
  /** `address:port` of the sender. */
  readonly from: string;
  /** Sends a text back the way the message came. */
  answer(text: string): void;
}

/** The sockets of a user agent: one protocol, one address. */
export class Agent {
  readonly protocol: Protocol;
  /** `host:port` of where it can be reached; of a WebSocket client, a name that no one can look up (RFC 7118 5.2.1). */
  readonly sentBy: string;
  readonly #open: (point: ListenPoint) => Promise<(text: string) => void>;
  readonly #connections = new Map<ListenPoint, Promise<(text: string) => void>>();
  readonly #arrived: Arrived[] = [];
  readonly #events = new EventEmitter();
  readonly #ends: (() => Promise<void>)[] = [];
  /** Requests that were passed over by `next`. */
  passed = 0;

  constructor(
    protocol: Protocol,
    sentBy: string,
    open: (point: ListenPoint) => Promise<(text: string) => void>,
  ) {
    this.protocol = protocol;
    this.sentBy = sentBy;
    this.#open = open;
  }

  take(arrived: Arrived): void {
    this.#arrived.push(arrived);
    this.#events.emit('message');
  }

  /** Has a connection ended by `close`. */
  onClose(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** Ends its connections; resolves when they are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
  }

  /** Sends to a listen point of the proxy; over a connection that is kept. */
  async send(text: string, point: ListenPoint): Promise<void> {
    let connection = this.#connections.get(point);
    if (connection === undefined) {
      connection = this.#open(point);
      this.#connections.set(point, connection);
    }
    (await connection)(text);
  }

  /** The next message that is of this method, or has this status; others are passed over. */
  async next(what: string | number): Promise<Arrived> {
    const start = typeof what === 'number' ? `SIP/2.0 ${what} ` : `${what} `;
    for (;;) {
      for (let each = this.#arrived.shift(); each !== undefined; each = this.#arrived.shift())
        if (each.text.startsWith(start)) return each;
        else if (!each.text.startsWith('SIP/2.0')) this.passed += 1;
      await once(this.#events, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
  }
}

const inBrackets = (address: string): string => (isIPv6(address) ? `[${address}]` : address);
const placeOf = (address: string | undefined, port: number | undefined): string =>
  `${inBrackets(address ?? '')}:${port ?? 0}`;

async function udpAgent(t: TestContext, address: string): Promise<Agent> {
  const socket: Datagrams = createSocket(isIPv6(address) ? 'udp6' : 'udp4').bind(0, address);
  t.after(() => socket.close());
  await once(socket, 'listening');
  const sendTo = (text: string, port: number, host: string): void =>
    socket.send(Buffer.from(text, 'latin1'), port, host);
  const agent = new Agent(
    'udp',
    placeOf(address, socket.address().port),
    async (point) => (text) => sendTo(text, point.port, point.address),
  );
  socket.on('message', (bytes, from) =>
    agent.take({
      text: bytes.toString('latin1'),
      from: placeOf(from.address, from.port),
      answer: (text) => sendTo(text, from.port, from.address),
    }),
  );
  return agent;
}

/** Hands an agent what comes on a socket; returns what sends on it. */
function onSocket(t: TestContext, agent: Agent, socket: Socket): (text: string) => void {
  const framing = new Framing();
  const write = (text: string): void => void socket.write(Buffer.from(text, 'latin1'));
  t.after(() => socket.destroy());
  agent.onClose(async () => {
    socket.end();
    await once(socket, 'close');
  });
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    framing.add(bytes);
    for (let framed = framing.next(); framed.kind !== 'more'; framed = framing.next()) {
      if (framed.kind !== 'message') continue;
      const from = placeOf(socket.remoteAddress, socket.remotePort);
      agent.take({ text: framed.bytes.toString('latin1'), from, answer: write });
    }
  });
  return write;
}

async function streamAgent(t: TestContext, address: string, keys: KeyPair | null): Promise<Agent> {
  const options = keys === null ? null : { cert: keys.certificate, key: keys.privateKey };
  const accept = (socket: Socket): void => void onSocket(t, agent, socket);
  const server = options === null ? createServer(accept) : createSecureServer(options, accept);
  t.after(() => server.close());
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP server');
  const agent: Agent = new Agent(
    keys === null ? 'tcp' : 'tls',
    placeOf(address, bound.port),
    async (point) => {
      const place = { host: point.address, port: point.port, localAddress: address };
      const socket =
        keys === null ? connect(place) : connectSecurely({ ...place, rejectUnauthorized: false });
      const write = onSocket(t, agent, socket);
      await once(socket, keys === null ? 'connect' : 'secureConnect');
      return write;
    },
  );
  return agent;
}

function webSocketAgent(t: TestContext): Agent {
  const agent: Agent = new Agent('ws', 'df7jal23ls0d.invalid:5060', async (point) => {
    const socket = new WebSocket(`ws://${inBrackets(point.address)}:${point.port}`, ['sip']);
    t.after(() => socket.terminate());
    agent.onClose(async () => {
      socket.close();
      await once(socket, 'close');
    });
    await once(socket, 'open');
    const answer = (text: string): void => socket.send(text);
    socket.on('message', (data: Buffer) =>
      agent.take({ text: data.toString('latin1'), from: placeOf(point.address, point.port), answer }),
    );
    return answer;
  });
  return agent;
}

/** A user agent, its sockets closed after the test. `keys`: its certificate, for TLS. */
export async function agentOn(
  t: TestContext,
  protocol: Protocol,
  { address = '127.0.0.1', keys = null }: { readonly address?: string; readonly keys?: KeyPair | null } = {},
): Promise<Agent> {
  if (protocol === 'udp') return udpAgent(t, address);
  return protocol === 'ws' ? webSocketAgent(t) : streamAgent(t, address, protocol === 'tls' ? keys : null);
}
