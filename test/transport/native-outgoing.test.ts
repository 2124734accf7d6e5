/** How native sockets send: together at the end of a turn, in order, and later where the system is full. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type NativeBinding,
  type NativeHolder,
  QUEUE,
  QUEUE_HEAD,
  QUEUE_STRIDE,
} from '../../core/transport/native-binding.ts';
import { missing } from '../programs/missing.ts';
import { buildNativeUdp } from '../programs/native-udp.ts';
import { MESSAGE, nextDatagram, peer } from './harness.ts';
import { LOOPBACK, opened, sendTo } from './native-rig.ts';

const PATIENCE_MS = 10_000;
const skip = missing('cc') ?? false;

/** Waits for what has to arrive, but not without end. */
function inTime(all: Promise<void>): Promise<void> {
  const late = setTimeout(PATIENCE_MS, null, { ref: false }).then(() => assert.fail('not all arrived'));
  return Promise.race([all, late]);
}

before(() => {
  if (skip === false) buildNativeUdp();
});

test('native socket: what is sent in one turn arrives in order, asked about or not, whatever its size', {
  skip,
}, async (t) => {
  const { socket, errors } = await opened(t);
  const other = await peer(t);
  const arrived: number[] = [];
  const all = new Promise<void>((resolve) =>
    other.socket.on('message', (bytes) => {
      assert.ok(bytes.every((byte) => byte === bytes[0]));
      arrived.push(bytes[0]!);
      if (arrived.length === 200) resolve();
    }),
  );
  other.socket.setRecvBufferSize(4 * 1_024 * 1_024);
  for (let i = 0; i < 200; i += 1) {
    const bytes = Buffer.alloc(i % 50 === 49 ? 40_000 : 600, i);
    if (i % 70 === 69) socket.send(bytes, other.port, LOOPBACK, () => {});
    else socket.send(bytes, other.port, LOOPBACK);
    assert.ok(socket.getSendQueueSize() <= 65_536);
  }
  await inTime(all);
  assert.deepEqual(
    arrived,
    Array.from({ length: 200 }, (_, i) => i),
  );
  assert.deepEqual(errors, []);
});

test('native socket: those behind one that the system refuses go all the same, an empty one among them', {
  skip,
}, async (t) => {
  const { socket, errors } = await opened(t);
  const other = await peer(t);
  const arrived: string[] = [];
  const all = new Promise<void>((resolve) =>
    other.socket.on('message', (bytes) => {
      if (arrived.push(String(bytes)) === 3) resolve();
    }),
  );
  socket.send(Buffer.from('before'), other.port, LOOPBACK);
  // Nobody may send to everybody without asking for it.
  socket.send(MESSAGE, other.port, '255.255.255.255');
  socket.send(Buffer.alloc(0), other.port, LOOPBACK);
  socket.send(Buffer.from('behind'), other.port, LOOPBACK);
  await inTime(all);
  assert.deepEqual(arrived, ['before', '', 'behind']);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['sendmmsg EACCES'],
  );
});

/** Stands before the system's `sendmmsg`: takes three datagrams at a time, and none each second time. */
const STINGY = `#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int sendmmsg(int fd, struct mmsghdr *headers, unsigned count, int flags) {
  static unsigned calls;
  if (++calls % 2 == 0) { errno = EAGAIN; return -1; }
  return syscall(SYS_sendmmsg, fd, headers, count < 3 ? count : 3, flags);
}
`;

test('native socket: what a full system leaves over goes later, whole and in order', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kamaiki-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const library = join(folder, 'stingy.so');
  execFileSync(process.env['CC'] ?? 'cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], {
    input: STINGY,
  });
  const sender = fileURLToPath(new URL('native-sender.js', import.meta.url));
  const printed = execFileSync(process.execPath, [sender], {
    env: { ...process.env, LD_PRELOAD: `${process.env['LD_PRELOAD'] ?? ''} ${library}` },
    timeout: 60_000,
    encoding: 'utf8',
  });
  assert.equal(printed, `${Array.from({ length: 150 }, (_, i) => `${i}:${100 + i}`).join(' ')}\n`);
});

test('native socket: to many addresses in one turn each datagram goes to its own', { skip }, async (t) => {
  const { socket, arrival } = await opened(t, { address: '0.0.0.0' });
  // More than it knows by a number at a time: those of others, and for the rest its own.
  const addresses = Array.from({ length: 1_500 }, (_, i) => `127.1.${i >> 8}.${i & 0xff}`);
  const others = new Map<string, number>();
  const answers = [0, 1, 1_023, 1_024, 1_499].map(async (i) => {
    const address = addresses[i]!;
    const other = await peer(t, address);
    others.set(address, other.port);
    const { bytes } = await nextDatagram(other.socket);
    return [String(bytes), address] as const;
  });
  while (others.size < answers.length) await setImmediate();
  const { port } = socket.address();
  for (const address of addresses) socket.send(Buffer.from(address), others.get(address) ?? port, address);
  for (const [text, address] of await Promise.all(answers)) assert.equal(text, address);
  await arrival(addresses.length - answers.length);
});

test('native socket: what was sent before it is closed goes out', { skip }, async (t) => {
  const { socket } = await opened(t);
  const other = await peer(t);
  const arrival = nextDatagram(other.socket);
  socket.send(MESSAGE, other.port, LOOPBACK);
  socket.close();
  assert.deepEqual((await arrival).bytes, MESSAGE);
});

/** A binding whose system takes `room` datagrams before its buffer is full. */
function narrow() {
  const state = { room: 0, sent: [] as string[], awaited: 0, holder: null as NativeHolder | null };
  const binding: NativeBinding = {
    open: (_address, _port, _bytes, holder) => {
      state.holder = holder;
      return {
        handle: {},
        address: LOOPBACK,
        port: 5_060,
        receiveBytes: 0,
        sendBytes: 0,
      };
    },
    send: (_handle, bytes) => {
      if (state.room === 0) return -constants.errno.EAGAIN;
      state.room -= 1;
      state.sent.push(String(bytes));
      return bytes.length;
    },
    setDestination: () => 0,
    flush: (handle) => {
      const { queue, outgoing } = state.holder!;
      while (queue[0]! > 0 && state.room > 0) {
        const length = queue[QUEUE_HEAD]!;
        binding.send(handle, Buffer.from(outgoing.subarray(0, length)), LOOPBACK, 5_061);
        outgoing.copyWithin(0, length);
        queue.copyWithin(QUEUE_HEAD, QUEUE_HEAD + QUEUE_STRIDE);
        queue[0]! -= 1;
        queue[1]! -= length;
      }
      return queue[0]!;
    },
    awaitWritable: () => void (state.awaited += 1),
    close: () => {},
  };
  return { state, binding };
}

test('native socket: where the system is full datagrams wait in order, and go when it takes them again', async (t) => {
  const { state, binding } = narrow();
  const { socket } = await opened(t, { binding });
  const told: (Error | null)[] = [];
  state.room = 1;
  for (const text of ['a', 'bb', 'ccc'])
    socket.send(Buffer.from(text), 5_061, LOOPBACK, (error) => told.push(error));
  assert.deepEqual([state.sent, state.awaited, socket.getSendQueueSize()], [['a'], 1, 5]);
  state.room = 1;
  state.holder?.onWritable();
  assert.deepEqual([state.sent, state.awaited, socket.getSendQueueSize()], [['a', 'bb'], 2, 3]);
  state.room = 9;
  state.holder?.onWritable();
  assert.deepEqual([state.sent, state.awaited, socket.getSendQueueSize()], [['a', 'bb', 'ccc'], 2, 0]);
  await setImmediate();
  assert.deepEqual(told, [null, null, null]);
});

test('native socket: where the system is full what nobody asks about waits with the others, in order', async (t) => {
  const { state, binding } = narrow();
  const { socket } = await opened(t, { binding });
  const texts = Array.from({ length: QUEUE + 3 }, (_, i) => `d${i}`);
  for (const text of texts) socket.send(Buffer.from(text), 5_061, LOOPBACK);
  socket.send(Buffer.from('asked'), 5_061, LOOPBACK, () => {});
  assert.deepEqual(state.sent, []);
  assert.equal(socket.getSendQueueSize(), [...texts, 'asked'].join('').length);
  for (let room = 1; state.sent.length <= texts.length; room += 7) {
    state.room = room;
    // As the addon does: what is queued goes first, and the socket is called once all of it is sent.
    if (binding.flush({}) === 0) state.holder?.onWritable();
  }
  assert.deepEqual(state.sent, [...texts, 'asked']);
  assert.equal(socket.getSendQueueSize(), 0);
});

test('native socket: what still waits when it is closed is told as failed', async (t) => {
  const { binding } = narrow();
  const { socket } = await opened(t, { binding });
  const failed = sendTo(socket, MESSAGE, 5_061);
  socket.close();
  assert.match((await failed)?.message ?? '', /closed/);
  assert.equal(socket.getSendQueueSize(), 0);
});
