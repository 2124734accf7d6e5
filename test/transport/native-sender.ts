/** A program: sends datagrams of different lengths by a native socket in one turn, and prints those that arrive: the number in each, and its length. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { loadNativeBinding } from '../../core/transport/native-binding.ts';
import { nativeSockets } from '../../core/transport/native-socket.ts';
import { recordedLog } from './recorded-log.ts';

const DATAGRAMS = 150;
const address = '127.0.0.1';

const peer = createSocket({ type: 'udp4', recvBufferSize: 1_024 * 1_024 });
peer.bind(0, address);
await once(peer, 'listening');
const socket = await nativeSockets(loadNativeBinding())({
  address,
  port: 0,
  family: 4,
  log: recordedLog(),
  onDatagram: () => {},
  onError: (error) => {
    throw error;
  },
});
const arrived: string[] = [];
peer.on('message', (bytes) => {
  arrived.push(`${new Set(bytes).size === 1 ? bytes[0] : 'mixed'}:${bytes.length}`);
  if (arrived.length < DATAGRAMS) return;
  process.stdout.write(`${arrived.join(' ')}\n`);
  peer.close();
  socket.close();
});
for (let i = 0; i < DATAGRAMS; i += 1) socket.send(Buffer.alloc(100 + i, i), peer.address().port, address);
