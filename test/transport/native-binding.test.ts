/** What core/transport/native exports, built here, without the socket around it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BATCH, loadNativeBinding, type NativeHolder, STRIDE } from '../../core/transport/native-binding.ts';
import { outgoingMemory } from '../../core/transport/native-outgoing.ts';
import { missing } from '../programs/missing.ts';
import { buildNativeUdp } from '../programs/native-udp.ts';
import { MESSAGE, peer, posted } from './harness.ts';

const skip = missing('cc') ?? false;
const PATIENCE_MS = 10_000;
const LOOPBACK = '127.0.0.1';

before(() => {
  if (skip === false) buildNativeUdp();
});

/** One that takes no notice of anything. */
function holder(): NativeHolder {
  return {
    senders: [],
    batch: new Uint32Array(BATCH * STRIDE),
    onBatch: () => {},
    onWritable: () => {},
    onError: () => {},
    onSendError: () => {},
    ...outgoingMemory(),
  };
}

/** Runs statements in a worker that has the binding, and a holder that takes no notice of anything. */
function inWorker(statements: string): Worker {
  const url = new URL('../../core/transport/native-binding.js', import.meta.url).href;
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const holder = { senders: [], batch: new Uint32Array(96), onBatch() {}, onWritable() {}, onError() {}, onSendError() {},
      queue: new Uint32Array(194), outgoing: new Uint8Array(65536) };
    import(workerData).then(({ loadNativeBinding }) => {${statements}
    });`;
  return new Worker(source, { eval: true, workerData: url });
}

test('native binding: the addon may be read by whoever runs the proxy', { skip }, () => {
  const built = new URL('../../core/transport/native/udp.node', import.meta.url);
  assert.equal(statSync(built).mode & 0o777, 0o755);
});

test('native binding: one that is closed while it hands over datagrams hands over no more', {
  skip,
}, async (t) => {
  const other = await peer(t);
  const binding = loadNativeBinding();
  let batches = 0;
  const own: NativeHolder = {
    ...holder(),
    onBatch: () => {
      batches += 1;
      binding.close(handle);
    },
  };
  const { handle, port } = binding.open(LOOPBACK, 0, 65_536, own);
  for (let i = 0; i < 100; i += 1) await posted(other.socket, MESSAGE, { address: LOOPBACK, port });
  for (let i = 0; i < 10; i += 1) await setImmediate();
  assert.equal(batches, 1);
  assert.equal(binding.send(handle, MESSAGE, LOOPBACK, other.port), -constants.errno.EBADF);
});

test('native binding: says once that the system takes datagrams', { skip }, async (t) => {
  const binding = loadNativeBinding();
  let told = 0;
  const { handle } = binding.open(LOOPBACK, 0, 65_536, { ...holder(), onWritable: () => (told += 1) });
  t.after(() => binding.close(handle));
  for (const wanted of [0, 1, 2]) {
    for (let i = 0; i < 10; i += 1) await setImmediate();
    assert.equal(told, wanted);
    binding.awaitWritable(handle);
  }
});

test('native binding: what a reader of datagrams throws is an uncaught exception', { skip }, async () => {
  const worker = inWorker(`
    const onBatch = () => { throw new Error('thrown by a reader'); };
    const binding = loadNativeBinding();
    const { handle, port } = binding.open('127.0.0.1', 0, 65536, { ...holder, onBatch });
    binding.send(handle, Buffer.from('x'), '127.0.0.1', port);`);
  const [error]: unknown[] = await once(worker, 'error', { signal: AbortSignal.timeout(PATIENCE_MS) });
  assert.match(String(error), /thrown by a reader/);
});

test('native binding: ends with the worker that opened it', { skip }, async (t) => {
  const worker = inWorker(`
    const { port } = loadNativeBinding().open('127.0.0.1', 0, 65536, holder);
    parentPort.postMessage(port);`);
  const [port]: unknown[] = await once(worker, 'message');
  assert.ok(typeof port === 'number');
  await worker.terminate();
  const binding = loadNativeBinding();
  const again = binding.open(LOOPBACK, port, 65_536, holder());
  t.after(() => binding.close(again.handle));
  assert.equal(again.port, port);
});

test('native binding: without the addon the error says how to build it', () => {
  assert.throws(() => loadNativeBinding('./native/none.node'), {
    code: 'ERR_NATIVE_UDP',
    message: /npm run build:native.*Cannot find module/,
  });
});
