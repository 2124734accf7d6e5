import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type LookupFunction } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { OPEN_ACCESS } from '../../modules/memcached/access.ts';
import { Dial } from '../../modules/memcached/dial.ts';

const TIMEOUT_MS = 30;
const SILENT = '127.0.0.2';
const LIVE = '127.0.0.1';

/** Listens, and then never comes to accept a connection. */
const NEVER_ACCEPTS = `
const { parentPort, workerData } = require('node:worker_threads');
require('node:net').createServer().listen({ ...workerData, backlog: 1 }, () => {
  parentPort.postMessage('listening');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** Has nothing answer those who connect to a port of `SILENT`: its queue, one more than the backlog, is full. */
async function silence(t: TestContext, port: number): Promise<void> {
  const worker = new Worker(NEVER_ACCEPTS, { eval: true, workerData: { host: SILENT, port } });
  t.after(() => worker.terminate());
  await once(worker, 'message');
  for (let waiting = 0; waiting < 2; waiting++) {
    const socket = connect({ host: SILENT, port }).on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'connect');
  }
}

/** Listens on `LIVE`; resolves to the port. */
async function listen(t: TestContext): Promise<number> {
  const server = createServer();
  server.listen(0, LIVE);
  await once(server, 'listening');
  t.after(() => server.close());
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? assert.fail() : bound.port;
}

test('addresses: one of a host from which nothing comes leaves time for the next', {
  skip: process.platform === 'linux' ? false : `${SILENT} is there on Linux alone`,
}, async (t) => {
  const port = await listen(t);
  await silence(t, port);
  const lookup: LookupFunction = (_host, _options, answered) =>
    answered(
      null,
      [SILENT, LIVE].map((address) => ({ address, family: 4 })),
    );
  const first = await new Promise<string>((resolve, reject) => {
    const usual = connect({ host: 'cache.example', port, lookup });
    usual.on('connect', () => resolve('Node.js by itself'));
    const dial = new Dial({
      address: { kind: 'tcp', host: 'cache.example', port },
      access: OPEN_ACCESS,
      lookup,
      timeoutMs: TIMEOUT_MS,
      received: () => {},
      opened: (socket) => resolve(`the dial, to ${socket.remoteAddress}`),
      failed: (reason) => reject(new Error(reason)),
    });
    for (const socket of [usual, dial.socket]) t.after(() => socket.destroy());
  });
  // By default Node.js gives one address 250 ms.
  assert.equal(first, `the dial, to ${LIVE}`);
});
