import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import type { DatagramSocket, Sender } from '../../core/transport/datagram-socket.ts';
import { loadNativeBinding } from '../../core/transport/native-binding.ts';
import { nativeSockets } from '../../core/transport/native-socket.ts';
import { recordedLog } from './recorded-log.ts';

const PATIENCE_MS = 10_000;
export const LOOPBACK = '127.0.0.1';

interface Arrived {
  readonly bytes: Buffer;
  readonly from: Sender;
}

/** A native socket, closed after the test, and what arrives at it. */
export async function opened(
  t: TestContext,
  { address = LOOPBACK, port = 0, binding = loadNativeBinding() } = {},
) {
  const arrived: Arrived[] = [];
  const errors: Error[] = [];
  const log = recordedLog();
  const events = new EventEmitter();
  const socket = await nativeSockets(binding)({
    address,
    port,
    family: address.includes(':') ? 6 : 4,
    log,
    onDatagram: (bytes, from) => {
      arrived.push({ bytes, from });
      events.emit('arrival');
    },
    onError: (error) => errors.push(error),
  });
  t.after(() => socket.close());
  /** Waits until so many datagrams are there. */
  const arrival = async (count: number): Promise<readonly Arrived[]> => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (arrived.length < count) await once(events, 'arrival', { signal });
    return arrived;
  };
  return { socket, arrived, arrival, errors, log };
}

export function sendTo(
  socket: DatagramSocket,
  bytes: Buffer,
  port: number,
  address = LOOPBACK,
): Promise<Error | null> {
  return new Promise((resolve) => socket.send(bytes, port, address, resolve));
}
