import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, Socket } from 'node:dgram';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Received, Target } from '../../core/sip/hop.ts';
import type { Sender } from '../../core/transport/datagram-socket.ts';
import type { ListenOption } from '../../core/transport/listen-option.ts';
import { Transports } from '../../core/transport/transports.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from './recorded-log.ts';

export const V4: ListenOption = { protocol: 'udp', host: '127.0.0.1', port: 0 };
export const V6: ListenOption = { protocol: 'udp', host: '::1', port: 0 };
/** Loopback takes far less; ms. */
const PATIENCE_MS = 10_000;
/** Something to send, with bytes that no text encoding leaves alone. */
export const MESSAGE = Buffer.from('OPTIONS sip:a@b SIP/2.0\r\n\r\n\x00\xff', 'latin1');

interface Arrived {
  readonly bytes: Buffer;
  readonly received: Received;
}

/** Transports that are closed after the test, and what arrives at them. */
export async function started(t: TestContext, ...listen: ListenOption[]) {
  const arrived: Arrived[] = [];
  const events = new EventEmitter();
  const log = recordedLog();
  const sink = (bytes: Buffer, received: Received): void => {
    arrived.push({ bytes, received });
    events.emit('arrival');
  };
  const clock = new FakeClock();
  const transports = new Transports({ listen, log, clock, sink });
  t.after(() => transports.close());
  await transports.start();
  /** Waits for the message of this index. */
  const arrival = async (index: number): Promise<Arrived> => {
    for (let found = arrived[index]; ; found = arrived[index]) {
      if (found !== undefined) return found;
      await once(events, 'arrival', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
  };
  const [point] = transports.points;
  assert.ok(point);
  return { transports, log, clock, arrived, arrival, point };
}

/** A plain socket, closed after the test. */
export async function peer(t: TestContext, address = '127.0.0.1') {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  t.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  const target: Target = { protocol: 'udp', address, port };
  return { socket, port, target };
}

/** Sends from a plain socket, and waits until the system has it. */
export function posted(socket: Socket, bytes: Buffer, { address, port }: Sender): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(bytes, port, address, (error) => (error === null ? resolve() : reject(error))),
  );
}

export function nextDatagram(socket: Socket): Promise<{ bytes: Buffer; from: RemoteInfo }> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no datagram within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    socket.once('message', (bytes, from) => {
      clearTimeout(late);
      resolve({ bytes, from });
    });
  });
}

/** Sends, and returns the error that is reported. */
export function failure(transports: Transports, bytes: Buffer, target: Target): Promise<Error> {
  return new Promise((resolve, reject) => {
    let returned = false;
    transports.send(bytes, target, (error) =>
      returned ? resolve(error) : reject(new Error('told too early')),
    );
    returned = true;
  });
}

/** Runs `open` and returns the sockets that it created. */
export async function socketsOf<T>(open: () => Promise<T>): Promise<{ result: T; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const note = (event: unknown): void => {
    if (event instanceof Object && 'socket' in event && event.socket instanceof Socket)
      sockets.push(event.socket);
  };
  subscribe('udp.socket', note);
  try {
    return { result: await open(), sockets };
  } finally {
    unsubscribe('udp.socket', note);
  }
}
